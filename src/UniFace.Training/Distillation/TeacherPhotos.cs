namespace UniFace.Training.Distillation;

/// <summary>The training photos as the teacher takes them: aligned to its template, with the names of the student's set.</summary>
internal sealed class TeacherPhotos : IDisposable
{
    private readonly FaceDataset photos;
    private readonly int[] indices; // by the student's sample
    private readonly IImageDecoder decoder;
    private readonly (int Width, int Height) size;

    /// <param name="photos">The teacher's set; disposed with this object.</param>
    /// <param name="training">The student's.</param>
    /// <param name="decoder">Decodes the images.</param>
    /// <param name="size">Size of the teacher's faces.</param>
    /// <exception cref="UniFaceException">A photo of the student's set is not in the teacher's.</exception>
    public TeacherPhotos(FaceDataset photos, FaceDataset training, IImageDecoder decoder, (int Width, int Height) size)
    {
        (this.photos, this.decoder, this.size) = (photos, decoder, size);
        Dictionary<string, int> byName = photos.Samples.Index().GroupBy(s => Key(s.Item)).ToDictionary(g => g.Key, g => g.First().Index);
        indices = [.. training.Samples.Select(sample => byName.TryGetValue(Key(sample), out int index) ? index : throw new UniFaceException(
            $"{photos.Source} has no {sample.Name}; expected the photos of {training.Source}, aligned for the teacher, with the same names."))];
    }

    /// <summary>Decodes the photo of a sample of the student's set.</summary>
    public RgbImage Load(int sample)
    {
        int index = indices[sample];
        return BatchLoader.Decode(decoder, photos.Read(index), $"{photos.Source}: {photos.Samples[index].Name}", size);
    }

    /// <inheritdoc/>
    public void Dispose() => photos.Dispose();

    private static string Key(FaceSample sample) => Path.ChangeExtension(sample.Name, null);
}
