using UniFace.Data.Indexing;

namespace UniFace.Data;

/// <summary>An image of a data set.</summary>
/// <param name="Name">Its path inside the set ("Ann/Ann_0001.jpg") or its record ("record 17"), to find it by.</param>
/// <param name="Label">Index of the person in <see cref="FaceDataset.People"/>.</param>
internal readonly record struct FaceSample(string Name, int Label);

/// <summary>
/// A labeled set of face images. The order of samples and people is the same on every machine (ordinal by name, or the file's own).
/// </summary>
/// <param name="files">The files that stay open for reading; disposed with the set. Null if there are none.</param>
internal abstract class FaceDataset(IDisposable? files = null) : IDisposable
{
    /// <summary>The path that was opened.</summary>
    public string Source { get; protected init; } = "";

    /// <summary>Names of the people; a sample's label is an index into it.</summary>
    public IReadOnlyList<string> People { get; protected init; } = [];

    /// <summary>All images, in the set's order.</summary>
    public IReadOnlyList<FaceSample> Samples { get; protected init; } = [];

    /// <summary>Problems that did not prevent opening, one sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; protected init; } = [];

    /// <summary>Files beside the images that are not used, and why.</summary>
    internal IReadOnlyList<SkippedFile> Skipped { get; private protected init; } = [];

    /// <summary>Number of hidden files, texts and reports beside the images.</summary>
    public int IgnoredFiles { get; protected init; }

    /// <summary>The encoded bytes (JPEG, PNG ...) of an image. Thread-safe.</summary>
    /// <param name="index">Index into <see cref="Samples"/>.</param>
    /// <exception cref="UniFaceException">The bytes cannot be read; the message gives the file, the offset and what was expected.</exception>
    public abstract byte[] Read(int index);

    /// <summary>Number of encoded bytes of an image, without reading it if the set knows it. Thread-safe.</summary>
    /// <param name="index">Index into <see cref="Samples"/>.</param>
    public virtual long SizeOf(int index) => Read(index).Length;

    /// <summary>The label of a sample; unlike <see cref="Samples"/>, it makes no name.</summary>
    /// <param name="index">Index into <see cref="Samples"/>.</param>
    public int LabelOf(int index) => Samples is SampleList list ? list.LabelOf(index) : Samples[index].Label;

    /// <summary>A person's name where the set comes from, which people of different sets may share.</summary>
    /// <param name="label">Index into <see cref="People"/>.</param>
    public virtual string NameOf(int label) => People[label];

    /// <summary>Which of several merged sets a sample comes from, from 0.</summary>
    /// <param name="index">Index into <see cref="Samples"/>.</param>
    internal virtual int PartOf(int index) => 0;

    /// <summary>The index of a sample in the whole set that this is a part of; its own index in a whole set.</summary>
    /// <param name="index">Index into <see cref="Samples"/>.</param>
    internal virtual int WholeIndexOf(int index) => index;

    /// <summary>The digest over people, names, labels and sizes that the set's index file states; null without an index file.</summary>
    internal virtual byte[]? IndexDigest => null;

    /// <summary>Where the images are in the set's files; null if they are files of their own or cannot be read by position.</summary>
    internal virtual SampleLayout? Layout => null;

    /// <summary>Closes the files held open.</summary>
    public void Dispose()
    {
        files?.Dispose();
        GC.SuppressFinalize(this);
    }
}
