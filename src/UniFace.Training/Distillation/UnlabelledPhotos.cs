namespace UniFace.Training.Distillation;

/// <summary>Photos without labels, as a set of one nameless person: for runs that learn from a teacher alone.</summary>
internal sealed class UnlabelledPhotos : FaceDataset
{
    private readonly PhotoSet photos;
    private readonly int[] sources;

    private UnlabelledPhotos(PhotoSet photos)
        : base(photos)
    {
        this.photos = photos;
        sources = [.. Enumerable.Range(0, photos.Names.Count).Where(i => Path.GetFileName(photos.Names[i]) != FaceDatasets.ContactSheet)];
        Source = photos.Source;
        People = ["unlabelled"];
        Samples = new SampleList(sources.Length, _ => 0, i => photos.Names[sources[i]]);
    }

    /// <inheritdoc/>
    public override byte[] Read(int index) => photos.Read(sources[index]);

    /// <inheritdoc/>
    public override long SizeOf(int index) => photos.SizeOf(sources[index]);

    /// <summary>Opens a data set with its people or, if it has no folder per person, all of its photos.</summary>
    /// <param name="path">A folder or a file.</param>
    /// <param name="personLevel">Which folder of a path is the person, from 1, or null.</param>
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
}
