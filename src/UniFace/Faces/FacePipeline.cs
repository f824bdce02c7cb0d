namespace UniFace.Faces;

/// <summary>
/// Photo to aligned face: decode, detect, select, align. Training, evaluation and verification all use it, so they get the same crops.
/// Thread-safe; owns and disposes its detector and its liveness check.
/// </summary>
internal sealed class FacePipeline : IDisposable
{
    private readonly IImageDecoder decoder;
    private readonly IFaceDetector? detector;

    /// <summary>Creates a pipeline for raw photos.</summary>
    public FacePipeline(IImageDecoder decoder, IFaceDetector detector, CropAligner? aligner = null)
        : this(decoder, aligner ?? new CropAligner()) => this.detector = detector;

    private FacePipeline(IImageDecoder decoder, CropAligner aligner)
    {
        this.decoder = decoder;
        Aligner = aligner;
    }

    /// <summary>Aligns faces to the template.</summary>
    public CropAligner Aligner { get; }

    /// <summary>The detector's name, or "aligned" for aligned images.</summary>
    public string DetectorName => detector?.Name ?? "aligned";

    /// <summary>Minimum confidence of a face.</summary>
    public float MinScore { get; init; }

    /// <summary>Minimum length of the longer side of a face's box in pixels.</summary>
    public float MinFaceSize { get; init; }

    /// <summary>Whether to refuse photos with more than one possible main face.</summary>
    public bool Strict { get; init; }

    /// <summary>The check that the main face of a photo must pass; null for none.</summary>
    public ILivenessCheck? Liveness { get; init; }

    /// <summary>Creates a pipeline for aligned images: they are decoded, and their size is checked.</summary>
    /// <param name="decoder">Decodes them.</param>
    /// <param name="template">The template that they are aligned to; null for ArcFace's.</param>
    /// <param name="liveness">A check that no aligned image passes, or null.</param>
    public static FacePipeline ForAligned(IImageDecoder decoder, AlignmentTemplate? template = null, ILivenessCheck? liveness = null) =>
        new(decoder, new CropAligner(template)) { Liveness = liveness };

    /// <summary>The main face of a photo (<see cref="MainFace"/>), aligned; null if it shows none.</summary>
    public AlignedFace? Align(RgbImage photo) => Align(new Photo(photo));

    /// <summary>The main face of a photo (<see cref="MainFace"/>), aligned; null if it shows none.</summary>
    /// <exception cref="UniFaceException">The photo cannot be decoded.</exception>
    public AlignedFace? Align(Photo photo) => Search(photo, FaceChoice.Largest).Faces is [AlignedFace face, ..] ? face : null;

    /// <summary>Decodes a photo and aligns its main face; null if it shows none.</summary>
    /// <inheritdoc cref="AlignFaces(ReadOnlyMemory{byte}, string, FaceChoice)"/>
    public AlignedFace? Align(ReadOnlyMemory<byte> encoded, string source) =>
        AlignFaces(encoded, source, FaceChoice.Largest) is [AlignedFace face, ..] ? face : null;

    /// <summary>Decodes a photo and aligns its faces, the main one first; empty if it shows none.</summary>
    /// <param name="encoded">The file's bytes.</param>
    /// <param name="source">Name of the photo in errors.</param>
    /// <param name="choice">The faces to take.</param>
    /// <exception cref="UniFaceException">The photo cannot be decoded, is given as aligned and has another size, or its main face is refused.</exception>
    public IReadOnlyList<AlignedFace> AlignFaces(ReadOnlyMemory<byte> encoded, string source, FaceChoice choice) =>
        AlignFaces(decoder.OpenPhoto(encoded, source), source, choice);

    /// <summary>Aligns the faces of a photo, the main one first; empty if it shows none.</summary>
    /// <param name="photo">The photo.</param>
    /// <param name="source">Name of the photo in errors.</param>
    /// <param name="choice">The faces to take. If all are taken, none is refused, unless <paramref name="accepts"/>.</param>
    /// <param name="aligned">The photo is an aligned face.</param>
    /// <param name="accepts">The main face must be acceptable even if all are taken.</param>
    /// <exception cref="NotLiveException">The main face does not pass <see cref="Liveness"/>.</exception>
    /// <exception cref="UniFaceException">
    /// The photo cannot be decoded, is given as aligned and has another size or cannot be checked for liveness, or its main face is ambiguous and the
    /// pipeline is <see cref="Strict"/>.
    /// </exception>
    public IReadOnlyList<AlignedFace> AlignFaces(Photo photo, string source, FaceChoice choice, bool aligned = false, bool accepts = false)
    {
        ArgumentNullException.ThrowIfNull(photo);
        IReadOnlyList<AlignedFace> faces = aligned || detector is null
            ? [AlignedFace.FromImage(photo.Whole, Aligner.Template, source)]
            : Search(photo, choice).Faces;
        return (accepts || choice == FaceChoice.Largest) && faces is [AlignedFace main, ..]
            ? [Accept(photo, main, source), .. faces.Skip(1)]
            : faces;
    }

    /// <summary>Describes an ambiguous main face.</summary>
    public static string DescribeAmbiguity(AlignedFace face) => $"{face.FacesInPhoto} faces, and more than one could be the main face";

    /// <summary>The faces of a photo, aligned, and the number of faces that were not selected.</summary>
    public FaceSearch Search(RgbImage photo, FaceChoice choice) => Search(new Photo(photo), choice);

    /// <summary>The faces of a photo, aligned, and the number of faces that were not selected.</summary>
    /// <exception cref="UniFaceException">The photo cannot be decoded.</exception>
    public FaceSearch Search(Photo photo, FaceChoice choice)
    {
        ArgumentNullException.ThrowIfNull(photo);
        if (detector is null)
        {
            return new FaceSearch([new AlignedFace(photo.Whole, null, SimilarityTransform.Identity) { Template = Aligner.Template }], 1, 0, 0);
        }

        IReadOnlyList<DetectedFace> found =
            detector.FindsTurnedFaces ? detector.Detect(photo, choice) : TurnedPhotos.Detect(detector, photo, choice);
        List<DetectedFace> confident = [.. found.Where(face => face.Score >= MinScore && CropAligner.CanFit(face.Landmarks))];
        List<DetectedFace> large = [.. confident.Where(face => Math.Max(face.Width, face.Height) >= MinFaceSize)];
        List<AlignedFace> faces = [];
        if (MainFace.Select(large, photo.Width, photo.Height) is DetectedFace main)
        {
            bool ambiguous = MainFace.IsAmbiguous(main, large, photo.Width, photo.Height);
            faces.Add(Aligner.Align(photo, main) with { FacesInPhoto = confident.Count, Ambiguous = ambiguous });
            if (choice == FaceChoice.All)
            {
                faces.AddRange(large.Where(face => !ReferenceEquals(face, main))
                    .Select(face => Aligner.Align(photo, face) with { FacesInPhoto = confident.Count }));
            }
        }

        return new FaceSearch(faces, found.Count, confident.Count - large.Count, found.Count - confident.Count);
    }

    /// <summary>
    /// Aligns many photos on several threads. Results are in the order of the photos; null for a photo without a face.
    /// </summary>
    /// <param name="count">Number of photos.</param>
    /// <param name="read">The bytes of photo i and its name; called on several threads.</param>
    /// <param name="threads">Number of threads; 0 for one per core.</param>
    /// <param name="done">Called after each photo, on several threads; for progress.</param>
    /// <param name="cancellationToken">Stops between photos.</param>
    /// <exception cref="UniFaceException">A photo cannot be read or decoded; the message names the first one.</exception>
    public AlignedFace?[] AlignMany(
        int count,
        Func<int, (ReadOnlyMemory<byte> Encoded, string Source)> read,
        int threads = 0,
        Action? done = null,
        CancellationToken cancellationToken = default)
    {
        AlignedFace?[] result = new AlignedFace?[count];
        ParallelLoop.Run(
            count,
            i =>
            {
                (ReadOnlyMemory<byte> encoded, string source) = read(i);
                result[i] = Align(encoded, source);
                done?.Invoke();
            },
            threads,
            cancellationToken);
        return result;
    }

    /// <summary>Disposes the detector and the liveness check.</summary>
    public void Dispose()
    {
        detector?.Dispose();
        (Liveness as IDisposable)?.Dispose();
    }

    private AlignedFace Accept(Photo photo, AlignedFace main, string source)
    {
        if (Strict && main.Ambiguous)
        {
            throw new UniFaceException($"{source}: {DescribeAmbiguity(main)}; crop it to one person");
        }

        if (Liveness is null)
        {
            return main;
        }

        LivenessResult result = Liveness.Check(photo, main.Face ?? throw new UniFaceException(
            $"{source}: an aligned face cannot be checked for liveness; give the photo"));
        return result.IsLive ? main with { Liveness = result.Score } : throw new NotLiveException(source, result);
    }
}
