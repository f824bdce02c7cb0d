namespace UniFace.Data;

/// <summary>An image of a data set.</summary>
/// <param name="Name">Its path inside the set ("Ann/Ann_0001.jpg") or its record ("record 17"), to find it by.</param>
/// <param name="Label">Index of the person in <see cref="FaceDataset.People"/>.</param>
public readonly record struct FaceSample(string Name, int Label);

/// <summary>
/// A labelled set of face images. The order of samples and people is the same on every machine (ordinal by name, or the file's own).
/// </summary>
public abstract class FaceDataset : IDisposable
{
    /// <summary>The path that was opened.</summary>
    public abstract string Source { get; }

    /// <summary>Names of the people; a sample's label is an index into it.</summary>
    public abstract IReadOnlyList<string> People { get; }

    /// <summary>All images, in the set's order.</summary>
    public abstract IReadOnlyList<FaceSample> Samples { get; }

    /// <summary>Problems that did not prevent opening, one sentence each.</summary>
    public virtual IReadOnlyList<string> Warnings => [];

    /// <summary>Files beside the images that are not used, and why.</summary>
    public virtual IReadOnlyList<LeftOutFile> LeftOut => [];

    /// <summary>Number of hidden files, texts and reports beside the images.</summary>
    public virtual int IgnoredFiles => 0;

    /// <summary>The encoded bytes (JPEG, PNG ...) of an image. Thread-safe.</summary>
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
