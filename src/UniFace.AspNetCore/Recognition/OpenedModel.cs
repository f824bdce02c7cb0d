using UniFace.Vision.Photos;

namespace UniFace.AspNetCore.Recognition;

/// <summary>A model and its gallery, opened before the service is built.</summary>
internal sealed record OpenedModel(FaceRecognizer Model, StoredGallery Gallery)
{
    /// <summary>Opens the model that the options name, or the installed default, with its calibration, detector and gallery.</summary>
    /// <returns>Null if no model is named or installed.</returns>
    /// <exception cref="UniFaceException">One of them cannot be opened, or they do not belong together.</exception>
    public static async Task<OpenedModel?> OpenAsync(ServerOptions options, CancellationToken stop)
    {
        if ((options.Package ?? InstalledModels.GetDefault()) is not string name)
        {
            return null;
        }

        SkiaImageDecoder decoder = new() { MaxPixels = options.MaxPixels, MaxReducedPixels = options.MaxPixels, ReadsHeif = false };
        PhotoOptions photos = new() { Detector = options.Detector, Decoder = decoder, Liveness = options.Liveness };
        FaceRecognizer model = FaceRecognizer.Open(name, new FaceRecognizerOptions { Photos = photos });
        StoredGallery? gallery = null;
        try
        {
            model.Load();
            gallery = await ServedGallery.OpenAsync(options, model, stop);
            model.RequireContract(gallery.Info.ContractId, $"the gallery {gallery.Path}");
            return new OpenedModel(model, gallery);
        }
        catch
        {
            await (gallery?.DisposeAsync() ?? ValueTask.CompletedTask);
            model.Dispose();
            throw;
        }
    }
}
