using UniFace.Vision.Quality;

namespace UniFace.Cli.Gallery;

/// <summary>Enrolls the main faces of photos, except photos that are already enrolled, and faces of low quality.</summary>
/// <param name="gallery">The gallery.</param>
/// <param name="embedder">Its model.</param>
/// <param name="enroller">Counts and stores the templates.</param>
/// <param name="gate">The lowest quality; null for any.</param>
internal sealed class PhotoEnrollment(StoredGallery gallery, OnnxEmbedder embedder, GalleryEnroller enroller, EnrollmentGate? gate)
{
    private readonly List<SkippedPhoto> skipped = [];
    private readonly List<(string Photo, AlignedFace Face)> severalFaces = [];
    private readonly List<(string Photo, FaceQuality Quality)> qualities = [];

    /// <summary>Photos that were not enrolled, and why.</summary>
    public IReadOnlyList<SkippedPhoto> Skipped => skipped;

    /// <summary>Photos with several faces, of which the main one was enrolled.</summary>
    public IReadOnlyList<(string Photo, AlignedFace Face)> SeveralFaces => severalFaces;

    /// <summary>The quality of each face that was enrolled.</summary>
    public IReadOnlyList<(string Photo, FaceQuality Quality)> Qualities => qualities;

    /// <summary>Enrolls photos.</summary>
    /// <param name="photos">The photos with their main faces.</param>
    /// <param name="people">The person in each photo, by its name.</param>
    /// <param name="stop">Stops the enrollment.</param>
    public async Task EnrollAsync(PhotoFaces[] photos, IReadOnlyDictionary<string, string> people, CancellationToken stop)
    {
        List<PhotoFaces> accepted = [];
        foreach (PhotoFaces photo in photos)
        {
            if (photo.Faces is not [AlignedFace face])
            {
                skipped.Add(new SkippedPhoto(photo.Name, photo.Reason!));
            }
            else if (!await enroller.IsEnrolledAsync(people[photo.Name], photo.Sha256, stop))
            {
                FaceQuality quality = FaceQuality.Measure(face);
                if (gate?.Check(quality) is { Count: > 0 } faults)
                {
                    skipped.Add(new SkippedPhoto(photo.Name, string.Join("; ", faults.Select(f => f.Message))));
                    continue;
                }

                accepted.Add(photo);
                qualities.Add((photo.Name, quality));
                if (face.FacesInPhoto > 1)
                {
                    severalFaces.Add((photo.Name, face));
                }
            }
        }

        float[] embeddings = embedder.Embed([.. accepted.Select(photo => photo.Faces[0].Image)]); // [N, D]
        IEnumerable<Enrollment> batch = accepted.Select((photo, i) => new Enrollment(
            people[photo.Name],
            embeddings.AsMemory(i * embedder.EmbeddingSize, embedder.EmbeddingSize),
            gallery.Info.KeepsCrops ? ImageEncoder.Png(photo.Faces[0].Image) : ReadOnlyMemory<byte>.Empty,
            photo.Name,
            photo.Sha256));
        await enroller.EnrollAsync([.. batch], stop);
    }
}
