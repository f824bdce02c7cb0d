using UniFace.Data;

namespace UniFace.Vision.Photos;

/// <summary>A photo of a set with its faces.</summary>
/// <param name="Index">Its index in the set.</param>
/// <param name="Name">Its name in the set.</param>
/// <param name="Faces">Its faces, the main one first; empty if none was found, or if the photo cannot be read.</param>
/// <param name="Detail">SHA-256 of the photo in lower-case hexadecimal, or the reason why there is no face.</param>
public sealed record PhotoFaces(int Index, string Name, IReadOnlyList<AlignedFace> Faces, string Detail)
{
    private const int ChunkSize = 64;

    /// <summary>Reads a set in chunks: at most one chunk is decoded and aligned ahead while the caller works on the current one.</summary>
    /// <param name="photos">The photos.</param>
    /// <param name="pipeline">From photos to faces.</param>
    /// <param name="threads">Photos to process at once.</param>
    /// <param name="choice">The faces of a photo to take.</param>
    /// <param name="stop">Stops between photos.</param>
    public static IEnumerable<PhotoFaces[]> ReadAll(PhotoSet photos, FacePipeline pipeline, int threads, FaceChoice choice, CancellationToken stop) =>
        ReadAhead.Enumerate((photos.Names.Count + ChunkSize - 1) / ChunkSize, (chunk, left) =>
        {
            int first = chunk * ChunkSize;
            PhotoFaces[] read = new PhotoFaces[Math.Min(photos.Names.Count - first, ChunkSize)];
            Parallel.For(0, read.Length, new ParallelOptions { MaxDegreeOfParallelism = threads }, i =>
            {
                if (!stop.IsCancellationRequested && !left.IsCancellationRequested)
                {
                    read[i] = Read(photos, first + i, pipeline, choice);
                }
            });
            stop.ThrowIfCancellationRequested();
            return read;
        });

    private static PhotoFaces Read(PhotoSet photos, int index, FacePipeline pipeline, FaceChoice choice)
    {
        string name = photos.Names[index];
        try
        {
            byte[] bytes = photos.Read(index);
            IReadOnlyList<AlignedFace> faces = pipeline.AlignFaces(bytes, name, choice);
            return new PhotoFaces(index, name, faces, faces.Count == 0 ? "no face found" : IO.Sha256.HashBytes(bytes));
        }
        catch (UniFaceException e)
        {
            return new PhotoFaces(index, name, [], e.Message.StartsWith(name + ": ", StringComparison.Ordinal) ? e.Message[(name.Length + 2)..] : e.Message);
        }
    }
}
