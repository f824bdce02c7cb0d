using System.Runtime.InteropServices;
using System.Text;
using UniFace.Gallery.Sqlite;

namespace UniFace.Gallery.Tests.Sqlite;

/// <summary>A temporary folder with a test's galleries.</summary>
internal sealed class GalleryFolder : IDisposable
{
    public const string Contract = "contract-a";

    private int made;

    public string Root { get; } = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(Root, recursive: true);

    public static GalleryKey Key { get; } = GalleryKey.FromText(string.Concat(Enumerable.Repeat("0123456789abcdef", 4)), "test");

    /// <summary>Path of a new gallery.</summary>
    public string Create(PersonScore scoring = PersonScore.Best, bool crops = false, GalleryKey? key = null, int size = 8)
    {
        string path = Path.Combine(Root, $"g{made++}.gallery");
        SqliteGallery.Create(path, new GalleryInfo { ContractId = Contract, EmbeddingSize = size, Scoring = scoring, KeepsCrops = crops }, key);
        return path;
    }

    public async Task<SqliteGallery> CreateAsync(PersonScore scoring = PersonScore.Best, bool crops = false, GalleryKey? key = null, int size = 8) =>
        await SqliteGallery.OpenAsync(Create(scoring, crops, key, size), key);

    /// <summary>Names of the files in this folder that contain some bytes.</summary>
    public IReadOnlyList<string> FilesWith(ReadOnlySpan<byte> bytes)
    {
        List<string> found = [];
        foreach (string file in Directory.GetFiles(Root))
        {
            using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            byte[] all = new byte[stream.Length];
            stream.ReadExactly(all);
            if (all.AsSpan().IndexOf(bytes) >= 0)
            {
                found.Add(Path.GetFileName(file));
            }
        }

        return found;
    }

    public IReadOnlyList<string> FilesWith(string text) => FilesWith(Encoding.UTF8.GetBytes(text));

    // Four consecutive values: unique, and short enough not to be split across pages.
    public IReadOnlyList<string> FilesWith(float[] embedding) => FilesWith(MemoryMarshal.AsBytes<float>(embedding)[..16]);
}
