using UniFace.Faces;
using UniFace.Training.Backbones;

namespace UniFace.Training.Tests.Backbones;

[Collection(Alone.Name)]
public class BackboneEmbedderTests
{
    [Fact]
    public void An_embedding_has_norm_one_and_does_not_depend_on_its_batch()
    {
        using BackboneEmbedder one = new(new ToyBackbone(), batchSize: 1);
        using BackboneEmbedder many = new(new ToyBackbone(), batchSize: 4);
        RgbImage[] faces = [.. Enumerable.Range(0, 6).Select(i => new ToyDecoder().Decode(new byte[] { (byte)i, 1, 0 }, ""))];
        float[] a = one.Embed(faces);
        float[] b = many.Embed(faces);
        Assert.Equal(6 * 8, a.Length);
        for (int i = 0; i < a.Length; i++)
        {
            Assert.Equal(a[i], b[i], 1e-5f);
        }

        for (int face = 0; face < 6; face++)
        {
            Assert.Equal(1, a.Skip(face * 8).Take(8).Sum(x => (double)x * x), 1e-5);
        }
    }

    [Fact]
    public void With_flip_sum_a_face_and_its_mirror_image_are_the_same()
    {
        using BackboneEmbedder summed = new(new ToyBackbone(), flipSum: true);
        using BackboneEmbedder single = new(new ToyBackbone(), flipSum: false);
        RgbImage face = new ToyDecoder().Decode(new byte[] { 3, 1, 0 }, "");
        RgbImage mirrored = new(112, 112);
        for (int y = 0; y < 112; y++)
        {
            for (int x = 0; x < 112; x++)
            {
                face.Pixels.AsSpan(((y * 112) + x) * 3, 3).CopyTo(mirrored.Pixels.AsSpan(((y * 112) + 111 - x) * 3, 3));
            }
        }

        Assert.True(Distance(summed.Embed([face]), summed.Embed([mirrored])) < 1e-5);
        Assert.True(Distance(single.Embed([face]), single.Embed([mirrored])) > 1e-3);
    }

    [Fact]
    public void Embedding_leaves_a_backbone_in_training_mode_with_its_running_statistics_unchanged()
    {
        using ToyBackbone backbone = new();
        backbone.train();
        using BackboneEmbedder embedder = new(backbone, ownsBackbone: false);
        float[] before = embedder.Embed([new RgbImage(112, 112)]);
        Assert.True(backbone.training);
        Assert.Equal(before, embedder.Embed([new RgbImage(112, 112)]));
    }

    [Fact]
    public void A_face_of_another_size_is_refused()
    {
        using BackboneEmbedder embedder = new(new ToyBackbone());
        Assert.Contains("112x112", Assert.Throws<UniFaceException>(() => embedder.Embed([new RgbImage(96, 112)])).Message, StringComparison.Ordinal);
    }

    private static double Distance(float[] a, float[] b) => Math.Sqrt(a.Zip(b, (x, y) => Math.Pow(x - y, 2)).Sum());
}
