namespace UniFace.Training.Distillation;

/// <summary>Photos without labels, as a set of one nameless person: for runs that learn from a teacher alone.</summary>
internal sealed class UnlabelledPhotos : FaceDataset
{
    private readonly PhotoSet photos;
    private readonly int[] sources;

    private UnlabelledPhotos(PhotoSet photos)
    {
        this.photos = photos;
        sources = [.. Enumerable.Range(0, photos.Names.Count).Where(i => Path.GetFileName(photos.Names[i]) != FaceDatasets.ContactSheet)];
        Samples = [.. sources.Select(i => new FaceSample(photos.Names[i], 0))];
    }

    /// <inheritdoc/>
    public override string Source => photos.Source;

    /// <inheritdoc/>
    public override IReadOnlyList<string> People { get; } = ["unlabelled"];

    /// <inheritdoc/>
    public override IReadOnlyList<FaceSample> Samples { get; }

    /// <inheritdoc/>
    public override byte[] Read(int index) => photos.Read(sources[index]);

    /// <summary>Opens a data set with its people or, if it has no folder per person, all of its photos.</summary>
    /// <exception cref="UniFaceException">There is neither.</exception>
    public static FaceDataset Open(string path, int? personLevel = null)
    {
        try
        {
            return FaceDatasets.Open(path, personLevel);
        }
        catch (UniFaceException) when (Path.Exists(path))
        {
            return new UnlabelledPhotos(PhotoSet.Open(path));
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            photos.Dispose();
        }

        base.Dispose(disposing);
    }
}
