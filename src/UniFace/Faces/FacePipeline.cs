namespace UniFace.Faces;

/// <summary>
/// Photo to aligned face: decode, detect, choose, align. The one way that every command takes, so that training,
/// evaluation and verification see the same crops. Thread-safe; owns and disposes its detector.
/// </summary>
public sealed class FacePipeline : IDisposable
{
    private readonly IImageDecoder decoder;
    private readonly IFaceDetector? detector;

    /// <summary>A pipeline over raw photos.</summary>
    public FacePipeline(IImageDecoder decoder, IFaceDetector detector, FaceAligner? aligner = null)
        : this(decoder, aligner ?? new FaceAligner()) => this.detector = detector ?? throw new ArgumentNullException(nameof(detector));

    private FacePipeline(IImageDecoder decoder, FaceAligner aligner)
    {
        this.decoder = decoder ?? throw new ArgumentNullException(nameof(decoder));
        Aligner = aligner;
    }

    /// <summary>Brings faces onto the template.</summary>
    public FaceAligner Aligner { get; }

    /// <summary>The detector's name, or "aligned" where pictures are taken as they are.</summary>
    public string DetectorName => detector?.Name ?? "aligned";

    /// <summary>Faces less confident than this are not taken.</summary>
    public float MinScore { get; init; }

    /// <summary>Faces whose box's longer side is below this many pixels are not taken.</summary>
    public float MinFaceSize { get; init; }

    /// <summary>Refuse a photo of which more than one face could be the main one.</summary>
    public bool Strict { get; init; }

    /// <summary>A pipeline over pictures that are aligned already: decoded, checked for the template's size, and not changed.</summary>
    public static FacePipeline ForAligned(IImageDecoder decoder, AlignmentTemplate? template = null) => new(decoder, new FaceAligner(template));

    /// <summary>The main face of a photo (<see cref="MainFace"/>), aligned; null if it shows none.</summary>
    public AlignedFace? Align(RgbImage photo) => AlignFaces(photo, FaceChoice.Largest) is [AlignedFace face, ..] ? face : null;

    /// <summary>Decodes a photo and aligns its main face; null if it shows none.</summary>
    /// <param name="encoded">The file's bytes.</param>
    /// <param name="source">What to call the photo in an error.</param>
    /// <exception cref="UniFaceException">
    /// The photo cannot be decoded, is given as aligned and has another size, or is ambiguous and the pipeline is <see cref="Strict"/>.
    /// </exception>
    public AlignedFace? Align(ReadOnlyMemory<byte> encoded, string source)
    {
        RgbImage photo = decoder.Decode(encoded, source);
        if (detector is null && (photo.Width != Aligner.Template.Width || photo.Height != Aligner.Template.Height))
        {
            throw new UniFaceException($"{source}: {photo.Width}x{photo.Height} pixels, expected an aligned face of {Aligner.Template.Width}x{Aligner.Template.Height}; leave out --aligned for raw photos.");
        }

        AlignedFace? face = Align(photo);
        return Strict && face is { Ambiguous: true }
            ? throw new UniFaceException($"{source}: {AmbiguityOf(face)}; --strict takes no such photo: crop it to one person.")
            : face;
    }

    /// <summary>What to say of a face that was taken although another was close.</summary>
    public static string AmbiguityOf(AlignedFace face)
    {
        ArgumentNullException.ThrowIfNull(face);
        return $"{face.FacesInPhoto} faces, and more than one is large enough to be the one that is meant";
    }

    /// <summary>The faces of a photo, aligned; the main one first where all are taken. Empty where there is none.</summary>
    public IReadOnlyList<AlignedFace> AlignFaces(RgbImage photo, FaceChoice choice) => Search(photo, choice).Faces;

    /// <summary>The faces of a photo, aligned, and how many were found and not taken.</summary>
    public FaceSearch Search(RgbImage photo, FaceChoice choice)
    {
        ArgumentNullException.ThrowIfNull(photo);
        if (detector is null)
        {
            return new FaceSearch([new AlignedFace(photo, null, SimilarityTransform.Identity)], 1, 0, 0);
        }

        IReadOnlyList<DetectedFace> found = TurnedPhotos.Detect(detector, photo);
        List<DetectedFace> sure = [.. found.Where(face => face.Score >= MinScore && FaceAligner.CanFit(face.Landmarks))];
        List<DetectedFace> large = [.. sure.Where(face => Math.Max(face.Width, face.Height) >= MinFaceSize)];
        List<AlignedFace> faces = [];
        if (MainFace.Of(large, photo.Width, photo.Height) is DetectedFace main)
        {
            bool ambiguous = MainFace.IsAmbiguous(main, large, photo.Width, photo.Height);
            faces.Add(Aligner.Align(photo, main) with { FacesInPhoto = sure.Count, Ambiguous = ambiguous });
            if (choice == FaceChoice.All)
            {
                faces.AddRange(large.Where(face => !ReferenceEquals(face, main)).Select(face => Aligner.Align(photo, face) with { FacesInPhoto = sure.Count }));
            }
        }

        return new FaceSearch(faces, found.Count, sure.Count - large.Count, found.Count - sure.Count);
    }

    /// <summary>
    /// Aligns many photos on several threads. Results are in the photos' order; null where a photo has no face.
    /// </summary>
    /// <param name="count">How many photos.</param>
    /// <param name="read">The bytes of photo i and its name; called on several threads.</param>
    /// <param name="threads">Photos at a time; 0 for one a core.</param>
    /// <param name="done">Called after each photo, on several threads; for progress.</param>
    /// <param name="cancellationToken">Stops between photos.</param>
    /// <exception cref="UniFaceException">A photo cannot be read or decoded; the first such one is named.</exception>
    public AlignedFace?[] AlignMany(int count, Func<int, (ReadOnlyMemory<byte> Encoded, string Source)> read, int threads = 0, Action? done = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(read);
        AlignedFace?[] result = new AlignedFace?[count];
        ParallelOptions options = new() { MaxDegreeOfParallelism = threads > 0 ? threads : Environment.ProcessorCount, CancellationToken = cancellationToken };
        try
        {
            Parallel.For(0, count, options, i =>
            {
                (ReadOnlyMemory<byte> encoded, string source) = read(i);
                result[i] = Align(encoded, source);
                done?.Invoke();
            });
        }
        catch (AggregateException e) when (e.Flatten().InnerExceptions.OfType<UniFaceException>().FirstOrDefault() is UniFaceException first)
        {
            throw new UniFaceException(first.Message, e);
        }

        return result;
    }

    /// <summary>Disposes the detector.</summary>
    public void Dispose() => detector?.Dispose();
}
