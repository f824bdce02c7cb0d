using UniFace.Embeddings;
using UniFace.Evaluation;
using UniFace.Faces;
using UniFace.Synthetic;

namespace UniFace.Cli.Demo;

/// <summary>A group of invented people in memory, as their files hold them.</summary>
internal sealed class DemoPeople
{
    private DemoPeople(int first, int people, int images, RgbImage[] pictures)
    {
        First = first;
        People = people;
        ImagesEach = images;
        Pictures = pictures;
        Labels = [.. Enumerable.Range(0, pictures.Length).Select(i => i / images)];
    }

    /// <summary>Index of the first person in the endless set.</summary>
    public int First { get; }

    /// <summary>Number of people.</summary>
    public int People { get; }

    /// <summary>Pictures of each.</summary>
    public int ImagesEach { get; }

    /// <summary>All pictures, person after person.</summary>
    public RgbImage[] Pictures { get; }

    /// <summary>The person of each picture, from 0.</summary>
    public int[] Labels { get; }

    /// <summary>Reads a group back from its folder.</summary>
    public static DemoPeople Load(string folder, int first, int people, int images, IImageDecoder decoder)
    {
        RgbImage[] pictures = new RgbImage[people * images];
        Parallel.For(0, pictures.Length, i =>
        {
            string path = Path.Combine(folder, ProceduralFaces.PersonName(first + (i / images)), FormattableString.Invariant($"{i % images:D3}.jpg"));
            pictures[i] = decoder.Decode(File.ReadAllBytes(path), path);
        });
        return new DemoPeople(first, people, images, pictures);
    }

    /// <summary>Index of a picture.</summary>
    public int At(int person, int image) => (person * ImagesEach) + image;

    /// <summary>Name of a person.</summary>
    public string Name(int person) => ProceduralFaces.PersonName(First + person);

    /// <summary>Embeds all pictures.</summary>
    public EmbeddedFaces Embed(IEmbedder embedder, CancellationToken stop) => BatchEmbedding.Embed(embedder, Pictures.Length, i => Pictures[i], cancellation: stop);
}
