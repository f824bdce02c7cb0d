namespace UniFace.Data.Indexing;

/// <summary>Where the images of a set are in its files, so that they can be read by position.</summary>
/// <param name="Files">Paths of the files.</param>
/// <param name="PositionOf">For a sample, the index of its file and the offset in it: of the image or, in records, of its record.</param>
internal sealed record SampleLayout(IReadOnlyList<string> Files, Func<int, (int File, long Offset)> PositionOf)
{
    /// <summary>The key of a sample's record; null if the files are not RecordIO.</summary>
    public Func<int, long>? KeyOf { get; init; }
}
