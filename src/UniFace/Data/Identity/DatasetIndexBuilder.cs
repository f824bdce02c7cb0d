using UniFace.Data.Indexing;

namespace UniFace.Data.Identity;

/// <summary>Writes the index of a data set beside it.</summary>
internal static class DatasetIndexBuilder
{
    /// <summary>Builds the index, replacing an older one, which is not used.</summary>
    /// <param name="path">A RecordIO set, a tar, or a folder of tars.</param>
    /// <param name="personLevel">Which folder of a path is the person, or null.</param>
    /// <returns>Path of the index, and what was indexed.</returns>
    /// <exception cref="UniFaceException">The set cannot be opened, or is of another kind.</exception>
    public static (string Index, int People, int Images) Build(string path, int? personLevel = null)
    {
        using FaceDataset data = FaceDatasets.OpenUnindexed(path, personLevel);
        SampleLayout layout = data.Layout ?? throw new UniFaceException(
            $"{path} cannot be indexed: expected a RecordIO set (train.rec), a tar or a folder of tars, whose images can be read by position");
        string index = IndexedDataset.PathOf(layout.KeyOf is not null ? layout.Files[0] : path);
        new DatasetIndexContent
        {
            Samples = data.Samples.Count,
            LabelOf = data.LabelOf,
            SizeOf = data.SizeOf,
            NameOf = i => data.Samples[i].Name,
            Layout = layout,
            People = data.People,
            PersonLevel = personLevel,
            Digest = data.ComputeIndexDigest(),
        }.Write(index);
        return (index, data.People.Count, data.Samples.Count);
    }
}
