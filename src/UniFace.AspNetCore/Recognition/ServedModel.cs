namespace UniFace.AspNetCore.Recognition;

/// <summary>Opens the model that a service runs.</summary>
internal static class ServedModel
{
    /// <summary>Opens the model that the options name, or the installed default, with its calibration and detector.</summary>
    /// <returns>Null if none is named or installed.</returns>
    /// <exception cref="UniFaceException">The model, its calibration or the detector cannot be opened.</exception>
    public static FaceRecognizer? Open(ServerOptions options)
    {
        if ((options.Package ?? InstalledModels.Default()) is not string model)
        {
            return null;
        }

        SkiaImageDecoder decoder = new() { MaxPixels = options.MaxPixels, MaxReducedPixels = options.MaxPixels, ReadsHeif = false };
        FaceRecognizer recognizer = FaceRecognizer.Open(model, new RecognizerOptions { Photos = new() { Detector = options.Detector, Decoder = decoder } });
        try
        {
            recognizer.Load();
            return recognizer;
        }
        catch
        {
            recognizer.Dispose();
            throw;
        }
    }
}
