using System.Security.Cryptography;
using UniFace.Data;
using UniFace.Faces;
using UniFace.IO;

namespace UniFace.Cli.Photos;

/// <summary>Some photos of a set, each with its main face aligned, or why there is none.</summary>
/// <param name="Names">The photos that show a face.</param>
/// <param name="Faces">Their faces.</param>
/// <param name="Skipped">The others.</param>
/// <param name="Sha256">SHA-256 of the photos that show a face, lower-case hexadecimal.</param>
internal sealed record PhotoChunk(
    IReadOnlyList<string> Names,
    IReadOnlyList<AlignedFace> Faces,
    IReadOnlyList<(string Photo, string Reason)> Skipped,
    IReadOnlyList<string> Sha256)
{
    private const int Size = 64;

    /// <summary>The pictures a chunk at a time: the next one is decoded and aligned while the caller works on this one, and no more than that.</summary>
    public static IEnumerable<PhotoChunk> Of(PhotoSet photos, FacePipeline pipeline, int threads, CancellationToken stop) =>
        ReadAhead.Enumerate((photos.Names.Count + Size - 1) / Size, (chunk, left) =>
        {
            int first = chunk * Size, count = Math.Min(photos.Names.Count - first, Size);
            AlignedFace?[] faces = new AlignedFace?[count];
            string?[] reasons = new string?[count];
            string[] hashes = new string[count];
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = threads }, i =>
            {
                if (stop.IsCancellationRequested || left.IsCancellationRequested)
                {
                    return;
                }

                string name = photos.Names[first + i];
                try
                {
                    byte[] bytes = photos.Read(first + i);
                    hashes[i] = Convert.ToHexStringLower(SHA256.HashData(bytes));
                    faces[i] = pipeline.Align(bytes, name);
                    reasons[i] = faces[i] is null ? "no face found" : null;
                }
                catch (UniFaceException e)
                {
                    reasons[i] = e.Message.StartsWith(name + ": ", StringComparison.Ordinal) ? e.Message[(name.Length + 2)..] : e.Message;
                }
            });
            stop.ThrowIfCancellationRequested();
            int[] found = [.. Enumerable.Range(0, count).Where(i => faces[i] is not null)];
            return new PhotoChunk(
                [.. found.Select(i => photos.Names[first + i])],
                [.. found.Select(i => faces[i]!)],
                [.. Enumerable.Range(0, count).Where(i => reasons[i] is not null).Select(i => (photos.Names[first + i], reasons[i]!))],
                [.. found.Select(i => hashes[i])]);
        });
}
