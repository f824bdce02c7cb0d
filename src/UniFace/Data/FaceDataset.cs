namespace UniFace.Data;

/// <summary>One picture of a data set.</summary>
/// <param name="Name">Its path inside the set ("Ann/Ann_0001.jpg") or its record ("record 17"), for people to find it.</param>
/// <param name="Label">Index of the person in <see cref="FaceDataset.People"/>.</param>
public readonly record struct FaceSample(string Name, int Label);

/// <summary>
/// A labelled set of face pictures, whatever holds it: a folder per person, RecordIO, a tar.
/// The order of samples and people is the same on every machine (ordinal by name, or the file's own).
/// </summary>
public abstract class FaceDataset : IDisposable
{
    /// <summary>The path that was opened.</summary>
    public abstract string Source { get; }

    /// <summary>Names of the people; a sample's label is an index into it.</summary>
    public abstract IReadOnlyList<string> People { get; }

    /// <summary>All pictures, in the set's order.</summary>
    public abstract IReadOnlyList<FaceSample> Samples { get; }

    /// <summary>What was odd about the set and did not keep it from opening, each in a sentence; empty where all is well.</summary>
    public virtual IReadOnlyList<string> Warnings => [];

    /// <summary>Files beside the pictures that are not used, and why; empty for sets that are one file.</summary>
    public virtual IReadOnlyList<LeftOutFile> LeftOut => [];

    /// <summary>How many hidden files, texts and reports lie beside the pictures; nobody takes them for photos.</summary>
    public virtual int IgnoredFiles => 0;

    /// <summary>The encoded bytes (JPEG, PNG ...) of a picture. Thread-safe.</summary>
    /// <param name="index">Index into <see cref="Samples"/>.</param>
    /// <exception cref="UniFaceException">The bytes cannot be read; says file, offset and what was expected.</exception>
    public abstract byte[] Read(int index);

    /// <summary>Releases the files held open.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases the files held open.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}
