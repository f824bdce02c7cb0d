using UniFace.Data;

namespace UniFace.Vision.Photos;

/// <summary>Some photos of a set, each with its main face or the reason why there is none.</summary>
/// <param name="Names">The photos that show a face.</param>
/// <param name="Faces">Their main faces.</param>
/// <param name="Skipped">The other photos.</param>
/// <param name="Sha256">SHA-256 of the photos that show a face, lower-case hexadecimal.</param>
public sealed record PhotoChunk(
    IReadOnlyList<string> Names,
    IReadOnlyList<AlignedFace> Faces,
    IReadOnlyList<(string Photo, string Reason)> Skipped,
    IReadOnlyList<string> Sha256)
{
    private const int Size = 64;

    /// <summary>Reads a set in chunks: at most one chunk is decoded and aligned ahead while the caller works on the current one.</summary>
    /// <param name="photos">The photos.</param>
    /// <param name="pipeline">From photos to faces.</param>
    /// <param name="threads">Photos to process at once.</param>
    /// <param name="stop">Stops between photos.</param>
    public static IEnumerable<PhotoChunk> ReadAll(PhotoSet photos, FacePipeline pipeline, int threads, CancellationToken stop) =>
        ReadAhead.Enumerate((photos.Names.Count + Size - 1) / Size, (chunk, left) =>
        {
            int first = chunk * Size;
            (string Name, AlignedFace? Face, string Detail)[] read = new (string, AlignedFace?, string)[Math.Min(photos.Names.Count - first, Size)];
            Parallel.For(0, read.Length, new ParallelOptions { MaxDegreeOfParallelism = threads }, i =>
            {
                if (!stop.IsCancellationRequested && !left.IsCancellationRequested)
                {
                    read[i] = Read(photos, first + i, pipeline);
                }
            });
            stop.ThrowIfCancellationRequested();
            (string Name, AlignedFace? Face, string Detail)[] found = [.. read.Where(r => r.Face is not null)];
            return new PhotoChunk(
                [.. found.Select(r => r.Name)],
                [.. found.Select(r => r.Face!)],
                [.. read.Where(r => r.Name is not null && r.Face is null).Select(r => (r.Name, r.Detail))],
                [.. found.Select(r => r.Detail)]);
        });

    // The detail is the photo's hash, or the reason why there is no face.
    private static (string Name, AlignedFace? Face, string Detail) Read(PhotoSet photos, int index, FacePipeline pipeline)
    {
        string name = photos.Names[index];
        try
        {
            byte[] bytes = photos.Read(index);
            AlignedFace? face = pipeline.Align(bytes, name);
            return (name, face, face is null ? "no face found" : IO.Sha256.HashBytes(bytes));
        }
        catch (UniFaceException e)
        {
            return (name, null, e.Message.StartsWith(name + ": ", StringComparison.Ordinal) ? e.Message[(name.Length + 2)..] : e.Message);
        }
    }
}
