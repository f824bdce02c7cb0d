using UniFace.IO;
using UniFace.Vision.Imaging;

namespace UniFace.Synthetic;

/// <summary>
/// An unlimited set of synthetic people and images of them, generated from one seed: no downloads, no license, no real faces.
/// For tests and demonstrations; numbers measured on it say nothing about real faces. Thread-safe.
/// </summary>
/// <param name="seed">The same seed gives the same people and pixels.</param>
/// <param name="variation">How much the images of a person vary, 0 to 1; 0 gives nearly the same portrait each time.</param>
public sealed class SyntheticFaces(long seed, float variation = 1)
{
    private const int PhotoQuality = 92;

    private readonly float variation =
        variation is >= 0 and <= 1 ? variation : throw new ArgumentOutOfRangeException(nameof(variation), variation, "expected 0 to 1");

    internal FaceIdentity Identity(int person) => new(seed, person);

    /// <summary>The scene of image number <paramref name="image"/> of a person.</summary>
    internal FaceScene Scene(int person, int image) => FaceScene.Create(seed, person, image, Identity(person), variation);

    /// <summary>An aligned 112x112 face.</summary>
    public SyntheticFace Aligned(int person, int image) => FaceRenderer.Aligned(Identity(person), Scene(person, image));

    /// <summary>A whole photo, not aligned.</summary>
    public SyntheticFace Photo(int person, int image, int width = 320, int height = 400) =>
        FaceRenderer.Photo(Identity(person), Scene(person, image), width, height);

    /// <summary>How the name of every synthetic person begins.</summary>
    internal const string PersonPrefix = "person-";

    /// <summary>Name of a person's folder: "person-0007".</summary>
    public static string PersonName(int person) => FormattableString.Invariant($"{PersonPrefix}{person:D4}");

    /// <summary>
    /// Writes one folder per person with one JPEG per image: OUT/person-0007/003.jpg. Each file is written atomically.
    /// </summary>
    /// <param name="folder">The folder to write; created if it does not exist.</param>
    /// <param name="firstPerson">Index of the first person; sets of one seed can be disjoint.</param>
    /// <param name="people">Number of people, 1 or more.</param>
    /// <param name="images">Images per person, 1 or more.</param>
    /// <param name="photos">True for whole photos of 320x400 instead of aligned faces.</param>
    /// <param name="written">Called after each image, from any thread.</param>
    /// <param name="cancellationToken">Stops between images.</param>
    public void Write(
        string folder, int firstPerson, int people, int images, bool photos = false, Action? written = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstPerson);
        ArgumentOutOfRangeException.ThrowIfLessThan(people, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(images, 1);
        ParallelLoop.Run(people, Write, cancellationToken: cancellationToken);

        void Write(int index)
        {
            int person = firstPerson + index;
            string home = Path.Combine(folder, PersonName(person));
            Directory.CreateDirectory(home);
            for (int image = 0; image < images; image++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                SyntheticFace drawn = photos ? Photo(person, image) : Aligned(person, image);
                byte[] encoded = ImageEncoder.Jpeg(drawn.Image, photos ? PhotoQuality : ImageEncoder.CropQuality);
                AtomicFile.Write(Path.Combine(home, FormattableString.Invariant($"{image:D3}.jpg")), stream => stream.Write(encoded));
                written?.Invoke();
            }
        }
    }
}
