using UniFace.Data;

namespace UniFace.Vision.Photos;

/// <summary>A photo of a set with its faces.</summary>
/// <param name="Index">Its index in the set.</param>
/// <param name="Name">Its name in the set.</param>
/// <param name="Faces">Its faces, the main one first; empty if none was found, or if the photo cannot be read.</param>
/// <param name="Sha256">SHA-256 of the photo in lower-case hexadecimal; empty if it cannot be read.</param>
/// <param name="Reason">Why there is no face; null if there is one.</param>
internal sealed record PhotoFaces(int Index, string Name, IReadOnlyList<AlignedFace> Faces, string Sha256, string? Reason)
{
    private const int ChunkSize = 64;

    /// <summary>Reads a set in chunks: at most one chunk is decoded and aligned ahead while the caller works on the current one.</summary>
    /// <param name="photos">The photos.</param>
    /// <param name="pipeline">From photos to faces.</param>
    /// <param name="threads">Photos to process at once.</param>
    /// <param name="choice">The faces of a photo to take.</param>
    /// <param name="cancellationToken">Stops between photos.</param>
    public static IEnumerable<PhotoFaces[]> ReadAll(
        PhotoSet photos, FacePipeline pipeline, int threads, FaceChoice choice, CancellationToken cancellationToken) =>
        ReadAhead.Enumerate((photos.Names.Count + ChunkSize - 1) / ChunkSize, (chunk, stop) =>
        {
            int first = chunk * ChunkSize;
            PhotoFaces[] read = new PhotoFaces[Math.Min(photos.Names.Count - first, ChunkSize)];
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stop);
            ParallelLoop.Run(read.Length, i => read[i] = Read(photos, first + i, pipeline, choice), threads, either.Token);
            return read;
        });

    private static PhotoFaces Read(PhotoSet photos, int index, FacePipeline pipeline, FaceChoice choice)
    {
        string name = photos.Names[index];
        try
        {
            byte[] bytes = photos.Read(index);
            IReadOnlyList<AlignedFace> faces = pipeline.AlignFaces(bytes, name, choice);
            return new PhotoFaces(index, name, faces, IO.Sha256.HashBytes(bytes), faces.Count == 0 ? "no face found" : null);
        }
        catch (UniFaceException e)
        {
            string prefix = name + ": ";
            return new PhotoFaces(index, name, [], "", e.Message.StartsWith(prefix, StringComparison.Ordinal) ? e.Message[prefix.Length..] : e.Message);
        }
    }
}
