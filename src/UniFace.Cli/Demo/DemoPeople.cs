namespace UniFace.Cli.Demo;

/// <summary>A group of invented people in memory.</summary>
/// <param name="First">Index of the first person in the endless set.</param>
/// <param name="People">Number of people.</param>
/// <param name="ImagesEach">Images per person.</param>
/// <param name="Images">All images, person after person.</param>
internal sealed record DemoPeople(int First, int People, int ImagesEach, RgbImage[] Images)
{
    /// <summary>The person in each image, from 0.</summary>
    public int[] Labels { get; } = [.. Enumerable.Range(0, Images.Length).Select(i => i / ImagesEach)];

    /// <summary>Reads a group from its folder.</summary>
    public static DemoPeople Load(string folder, int first, int people, int images, IImageDecoder decoder)
    {
        RgbImage[] decoded = new RgbImage[people * images];
        Parallel.For(0, decoded.Length, i =>
        {
            string path = Path.Combine(folder, ProceduralFaces.PersonName(first + (i / images)), $"{i % images:D3}.jpg");
            decoded[i] = decoder.Decode(File.ReadAllBytes(path), path);
        });
        return new DemoPeople(first, people, images, decoded);
    }

    /// <summary>A person's name.</summary>
    public string Name(int person) => ProceduralFaces.PersonName(First + person);

    /// <summary>Embeds all images.</summary>
    public EmbeddedFaces Embed(IEmbedder embedder, CancellationToken stop) => BatchEmbedding.Embed(embedder, Images.Length, i => Images[i], cancellation: stop);
}
