using UniFace.Faces;
using UniFace.Training.Distillation;

namespace UniFace.Training.Tests.Distillation;

/// <summary>Embeddings on disk are found again by content and model, and a file that is not whole is as none.</summary>
public sealed class EmbeddingCacheTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-cache-").FullName;

    private string File => Path.Combine(folder, "teachers", "c.safetensors");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void What_was_saved_is_found_by_the_content_of_the_image()
    {
        EmbeddingCache cache = new(File, "contract", 2);
        cache.Add(EmbeddingCache.KeyOf(Image(1)), [1, 2]);
        cache.Add(EmbeddingCache.KeyOf(Image(2)), [3, 4]);
        cache.Save();
        EmbeddingCache again = new(File, "contract", 2);
        Assert.Equal([3, 4], again.Find(EmbeddingCache.KeyOf(Image(2)))!);
        Assert.Equal([1, 2], again.Find(EmbeddingCache.KeyOf(Image(1)))!);
        Assert.Null(again.Find(EmbeddingCache.KeyOf(Image(3))));
    }

    [Fact]
    public void Two_writers_keep_each_others_embeddings()
    {
        EmbeddingCache one = new(File, "contract", 1), two = new(File, "contract", 1);
        one.Add(1, [1]);
        two.Add(2, [2]);
        one.Save();
        two.Save();
        Assert.Equal(2, new EmbeddingCache(File, "contract", 1).Count);
    }

    [Fact]
    public void A_file_of_another_model_or_a_damaged_one_is_as_none_and_is_replaced()
    {
        EmbeddingCache cache = new(File, "contract", 2);
        cache.Add(7, [1, 2]);
        cache.Save();
        Assert.Equal(0, new EmbeddingCache(File, "other", 2).Count);
        Assert.Equal(0, new EmbeddingCache(File, "contract", 3).Count);
        byte[] bytes = System.IO.File.ReadAllBytes(File);
        foreach (byte[] damaged in new[] { bytes[..^1], [], [.. bytes[..^1], (byte)(bytes[^1] ^ 1)] })
        {
            System.IO.File.WriteAllBytes(File, damaged);
            EmbeddingCache read = new(File, "contract", 2);
            Assert.Equal(0, read.Count);
            read.Add(7, [1, 2]);
            read.Save();
            Assert.Equal([1, 2], new EmbeddingCache(File, "contract", 2).Find(7)!);
        }
    }

    private static RgbImage Image(byte value) => new(2, 2, [.. Enumerable.Repeat(value, 12)]);
}
