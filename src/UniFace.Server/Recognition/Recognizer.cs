using Microsoft.AspNetCore.Http;
using UniFace.Gallery;
using UniFace.Vision;

namespace UniFace.Server.Recognition;

/// <summary>
/// The model and the gallery of a service. Without a model, pages on losses and runs work all the same, and what needs one says so.
/// Thread-safe; owns both.
/// </summary>
public sealed class Recognizer : IAsyncDisposable
{
    /// <summary>What is said where a model is needed and there is none.</summary>
    public const string NoModel = "this service has no model package, so it cannot recognise anybody: make one with 'uniface demo', or get one with 'uniface models pull', and start it again; or start it with --package PACKAGE";

    private readonly FaceRecognizer? model;
    private readonly IStoredGallery? gallery;

    private Recognizer(FaceRecognizer? model, IStoredGallery? gallery)
    {
        this.model = model;
        this.gallery = gallery;
    }

    /// <summary>True where there is a model, and with it a gallery.</summary>
    public bool HasModel => model is not null;

    /// <summary>The model.</summary>
    /// <exception cref="ServerProblemException">There is none.</exception>
    public FaceRecognizer Model => model ?? throw new ServerProblemException(StatusCodes.Status503ServiceUnavailable, NoModel);

    /// <summary>The gallery.</summary>
    /// <exception cref="ServerProblemException">There is no model, and so no gallery.</exception>
    public IStoredGallery Gallery => gallery ?? throw new ServerProblemException(StatusCodes.Status503ServiceUnavailable, NoModel);

    /// <summary>Opens both.</summary>
    /// <exception cref="UniFaceException">One of them cannot be opened, or they do not belong together.</exception>
    public static async Task<Recognizer> OpenAsync(ServerOptions options, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        FaceRecognizer? model = ServedModel.Open(options);
        try
        {
            return new Recognizer(model, model is null ? null : await ServedGallery.OpenAsync(options, model, stop));
        }
        catch
        {
            model?.Dispose();
            throw;
        }
    }

    /// <summary>Closes the gallery, its index stored, and frees the model.</summary>
    public async ValueTask DisposeAsync()
    {
        if (gallery is not null)
        {
            try
            {
                await gallery.StoreIndexAsync(always: false);
            }
            catch (UniFaceException e) when (e.InnerException is GalleryMovedException)
            {
                // Its index is another model's by now.
            }

            await gallery.DisposeAsync();
        }

        model?.Dispose();
    }
}
