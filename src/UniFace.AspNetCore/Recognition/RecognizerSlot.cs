namespace UniFace.AspNetCore.Recognition;

/// <summary>A model and its gallery, opened before the service is built.</summary>
internal sealed record OpenedModel(FaceRecognizer Model, IStoredGallery Gallery)
{
    /// <summary>Opens both.</summary>
    /// <returns>Null if no model is named or installed.</returns>
    /// <exception cref="UniFaceException">One of them cannot be opened, or they do not belong together.</exception>
    public static async Task<OpenedModel?> OpenAsync(ServerOptions options, CancellationToken stop)
    {
        FaceRecognizer? model = ServedModel.Open(options);
        try
        {
            return model is null ? null : new OpenedModel(model, await ServedGallery.OpenAsync(options, model, stop));
        }
        catch
        {
            model?.Dispose();
            throw;
        }
    }
}

/// <summary>Owns the service's recognizer. Without a model there is none, and only what needs it is refused.</summary>
internal sealed class RecognizerSlot(Recognizer? loaded) : IAsyncDisposable
{
    /// <summary>Error message when no model is loaded.</summary>
    public const string NoModel =
        "this service has no model package, so it cannot recognise anybody: make one with 'uniface demo' or get one with 'uniface models pull', " +
        "then restart the service with it";

    /// <summary>The recognizer; null if no model is loaded.</summary>
    public Recognizer? Loaded { get; } = loaded;

    /// <summary>Closes the recognizer.</summary>
    public ValueTask DisposeAsync() => Loaded?.DisposeAsync() ?? ValueTask.CompletedTask;
}
