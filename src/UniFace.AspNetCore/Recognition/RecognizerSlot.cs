using UniFace.Gallery;

namespace UniFace.AspNetCore.Recognition;

/// <summary>A model and its gallery, opened before the service is built.</summary>
internal sealed record OpenedModel(ServedModel Model, IStoredGallery Gallery)
{
    /// <summary>Opens both.</summary>
    /// <returns>Null if no model is named or installed.</returns>
    /// <exception cref="UniFaceException">One of them cannot be opened, or they do not belong together.</exception>
    public static async Task<OpenedModel?> OpenAsync(ServerOptions options, CancellationToken stop)
    {
        ServedModel? model = ServedModel.Open(options);
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

    /// <summary>Closes the gallery, its index stored, and frees the model.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Loaded is null)
        {
            return;
        }

        await Loaded.StopAsync();
        try
        {
            await Loaded.Gallery.StoreIndexAsync(always: false);
        }
        catch (UniFaceException e) when (e.InnerException is GalleryMovedException)
        {
            // The index belongs to another model by now.
        }

        await Loaded.Gallery.DisposeAsync();
        Loaded.Model.Dispose();
    }
}

/// <summary>Registers the recognizer.</summary>
internal static class RecognizerServices
{
    /// <summary>Makes <see cref="Recognizer"/> available to handlers. Without a model, asking for it is refused.</summary>
    public static void AddRecognizer(this IServiceCollection services, OpenedModel? opened)
    {
        services.AddSingleton(provider => new RecognizerSlot(opened is null ? null : new Recognizer(
            opened,
            provider.GetRequiredService<ServerMetrics>(),
            provider.GetRequiredService<IHttpContextAccessor>(),
            provider.GetRequiredService<ServerOptions>(),
            provider.GetRequiredService<ILogger<Recognizer>>())));
        services.AddTransient(provider =>
            provider.GetRequiredService<RecognizerSlot>().Loaded ?? throw new RefusedException(Refusal.NoModel, RecognizerSlot.NoModel));
    }
}
