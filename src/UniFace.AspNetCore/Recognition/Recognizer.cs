namespace UniFace.AspNetCore.Recognition;

/// <summary>
/// Detects, embeds and searches for requests. Few photos are decoded at once, which bounds the memory; embeddings and searches run in batches over all
/// requests. Callers share each fairly. Thread-safe; owns model and gallery.
/// </summary>
internal sealed partial class Recognizer : IAsyncDisposable
{
    // In pixels times scans. DetectionWork: cost added by detection and alignment. LargeWork: photos above it may not take the last free decoder.
    private const double DetectionWork = 1e6, LargeWork = 16e6;

    // Large, so that one read of the gallery serves many searches; small enough that the next batch is not a remainder of one or two.
    private static readonly int MaxBatch = Math.Max(8, 4 * Environment.ProcessorCount);

    private readonly FairGate decoders = new(Environment.ProcessorCount), large = new(Math.Max(1, Environment.ProcessorCount - 1));
    private readonly FaceBatches batches;
    private readonly EnrolledCount enrolledCount;
    private readonly ServerMetrics metrics;
    private readonly TimeSpan timeout;
    private readonly ILogger log;

    // Enrollments of one person take turns, so that the second of two requests with the same photo reports it as enrolled already.
    private readonly FairGate[] turns = [.. Enumerable.Range(0, 64).Select(_ => new FairGate(places: 1))];
    private int damaged;

    public Recognizer(OpenedModel opened, ServerMetrics metrics, ServerOptions options, ILogger<Recognizer> log)
    {
        (Model, Gallery) = (opened.Model, opened.Gallery);
        this.metrics = metrics;
        this.log = log;
        timeout = options.RequestTimeout;
        batches = new FaceBatches(Embed, SearchAsync, MaxBatch);
        enrolledCount = new EnrolledCount(Gallery);
    }

    /// <summary>The model.</summary>
    public FaceRecognizer Model { get; }

    /// <summary>The gallery, of the same model.</summary>
    public StoredGallery Gallery { get; }

    /// <summary>Binds a handler's parameter to the service's recognizer; called by ASP.NET Core.</summary>
    /// <exception cref="ProblemException">No model is loaded.</exception>
    public static ValueTask<Recognizer?> BindAsync(HttpContext context) => ValueTask.FromResult<Recognizer?>(
        context.RequestServices.GetRequiredService<RecognizerSlot>().Loaded ?? throw new ProblemException(Status503ServiceUnavailable, RecognizerSlot.NoModel));

    /// <summary>The faces of a photo.</summary>
    /// <param name="photo">The file's bytes.</param>
    /// <param name="name">The request's field, for an error.</param>
    /// <param name="choice">The main face, or all.</param>
    /// <param name="aligned">The photo is an aligned face of the model's size already.</param>
    /// <param name="caller">The share that the work counts against; see <see cref="Caller.GetFairShare"/>.</param>
    /// <param name="stop">Stops the waiting.</param>
    /// <exception cref="NotLiveException">The main face does not pass the service's liveness check.</exception>
    /// <exception cref="UniFaceException">The file is not an image, is too large, or takes more work than one photo may.</exception>
    public async Task<(Photo Photo, IReadOnlyList<AlignedFace> Faces)> FindFacesAsync(
        byte[] photo, string name, FaceChoice choice, bool aligned, string caller, CancellationToken stop)
    {
        using Activity? span = ServerMetrics.Spans.StartActivity("detect");
        EncodedImage encoded = Model.Decoder.Open(photo, name);
        double work = DetectionWork + encoded.Work;
        using IDisposable? place = work > LargeWork ? await large.EnterAsync(caller, work, stop) : null;
        using IDisposable decoder = await decoders.EnterAsync(caller, work, stop);
        return await Task.Run(
            () =>
            {
                Photo image = encoded.Load();
                return (image, Model.Photos.AlignFaces(image, name, choice, aligned));
            },
            stop);
    }

    /// <summary>The main face of a photo; null if it shows none.</summary>
    /// <exception cref="UniFaceException">The file is not an image, is too large, or takes more work than one photo may.</exception>
    public async Task<AlignedFace?> FindMainFaceAsync(byte[] photo, string name, bool aligned, string caller, CancellationToken stop) =>
        (await FindFacesAsync(photo, name, FaceChoice.Largest, aligned, caller, stop)).Faces is [AlignedFace face, ..] ? face : null;

    /// <summary>The embedding of a face, [D], of norm 1.</summary>
    public async Task<float[]> EmbedAsync(AlignedFace face, string caller, CancellationToken stop)
    {
        using Activity? span = ServerMetrics.Spans.StartActivity("embed");
        return await batches.EmbedAsync(face.Image, caller, stop);
    }

    /// <summary>The people most similar to a face, best first.</summary>
    public async Task<IReadOnlyList<GalleryCandidate>> SearchAsync(AlignedFace face, int candidates, string caller, CancellationToken stop)
    {
        using Activity? span = ServerMetrics.Spans.StartActivity("embed and search");
        return await batches.SearchAsync(face.Image, candidates, caller, stop);
    }

    /// <summary>Waits for the enrollments of a person that are in progress; disposing the result ends this one.</summary>
    public Task<IDisposable> EnterEnrollmentAsync(string person, string caller, CancellationToken stop) =>
        turns[(uint)person.GetHashCode(StringComparison.Ordinal) % turns.Length].EnterAsync(caller, 1, stop);

    /// <summary>The number of enrolled faces, a few seconds old at most.</summary>
    public Task<long> CountEnrolledAsync(CancellationToken stop) => enrolledCount.ReadAsync(stop);

    /// <summary>
    /// Logs the templates just enrolled whose face is also enrolled under another name, by <see cref="LookAlikeRule"/>.
    /// Names are personal data, so the log has the templates' ids.
    /// </summary>
    public async Task LogLookAlikesAsync(
        string person, IReadOnlyList<(long Template, float[] Embedding)> enrolled, string caller, CancellationToken stop)
    {
        if (LookAlikeRule.Create(Model.Calibration) is not LookAlikeRule rule)
        {
            return;
        }

        try
        {
            IReadOnlyList<GalleryCandidate>[] alike =
                await Task.WhenAll(enrolled.Select(e => batches.SearchAsync(e.Embedding, LookAlikeRule.Candidates, caller, stop)));
            foreach (((long template, _), IReadOnlyList<GalleryCandidate> candidates) in enrolled.Zip(alike))
            {
                foreach (GalleryCandidate other in rule.Filter(person, candidates).Take(1))
                {
                    LogLookAlike(log, template, other.Score, rule.FalseMatchRate);
                }
            }
        }
        catch (Exception e) when (e is ProblemException or UniFaceException or OperationCanceledException)
        {
            // The enrollment is complete without this check.
        }
    }

    /// <summary>Completes the queued work, stores the index, and closes gallery and model.</summary>
    public async ValueTask DisposeAsync()
    {
        await batches.DisposeAsync();
        try
        {
            await Gallery.StoreIndexAsync(always: false);
        }
        catch (GalleryChangedException)
        {
            // The index belongs to another model by now.
        }

        await Gallery.DisposeAsync();
        Model.Dispose();
    }

    private float[][] Embed(IReadOnlyList<RgbImage> faces)
    {
        float[] all = Model.Embedder.Embed(faces); // [N, D]
        metrics.EmbeddingBatch.Record(faces.Count);
        return [.. all.Chunk(Model.Embedder.EmbeddingSize)];
    }

    private async Task<IReadOnlyList<IReadOnlyList<GalleryCandidate>>> SearchAsync(IReadOnlyList<float[]> probes, int candidates)
    {
        using CancellationTokenSource late = new(timeout); // no request waits longer
        float[] all = [.. probes.SelectMany(p => p)]; // [N, D]
        IReadOnlyList<IReadOnlyList<GalleryCandidate>> found = await Gallery.SearchAsync(all, Model.ContractId, candidates, late.Token);
        metrics.SearchBatch.Record(probes.Count);
        if (Gallery.Damage.Count is int now && now > damaged) // searches run one after the other
        {
            damaged = now;
            LogDamage(log, now);
        }

        return found;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message =
        "{Templates} damaged templates of the gallery are skipped by searches; 'uniface gallery verify-integrity' names them")]
    private static partial void LogDamage(ILogger log, int templates);

    [LoggerMessage(Level = LogLevel.Warning, Message =
        "template {Template} was enrolled, but its face is enrolled under another name, too (score {Score}, above the threshold of false match rate {Rate})")]
    private static partial void LogLookAlike(ILogger log, long template, double score, double rate);
}
