using System.Text;
using Microsoft.Data.Sqlite;
using UniFace.Gallery.Index;
using UniFace.Gallery.Index.Storage;
using UniFace.Gallery.Sqlite;
using UniFace.Gallery.Stores;
using UniFace.Gallery.Tests.Index;
using UniFace.TestSupport;

namespace UniFace.Gallery.Tests.Sqlite;

/// <summary>Readers of galleries read or refuse damaged files and throw no other exception.</summary>
public sealed class GalleryFuzzTests : IDisposable
{
    private readonly GalleryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Stored_index()
    {
        string path = Path.Combine(folder.Root, "index");
        using (ExactIndex index = new(8))
        {
            foreach ((int i, float[] row) in Rows.Random(50, 8, 1).Index())
            {
                index.Add(i, i, row);
            }

            index.Save(path, new IndexStamp("g", "c", 1));
        }

        Fuzzer.Run([File.ReadAllBytes(path)], bytes =>
        {
            File.WriteAllBytes(path, bytes);
            using ExactIndex opened = ExactIndex.Open(path, out _);
            opened.Search(Rows.Random(1, 8, 2)[0], 3);
        });
    }

    [Fact]
    public async Task Gallery_file()
    {
        string path = folder.Create();
        await using (SqliteGallery gallery = await SqliteGallery.OpenAsync(path))
        {
            await gallery.EnrollAsync([.. Rows.Random(20, 8, 3).Select((row, i) => new Enrollment("p" + i, row))], GalleryFolder.Contract);
        }

        byte[] good = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        int number = 0;
        Fuzzer.Run([good], bytes =>
        {
            string copy = Path.Combine(folder.Root, $"fuzzed-{number++}.gallery");
            File.WriteAllBytes(copy, bytes);
            try
            {
                SearchAsync(copy).GetAwaiter().GetResult();
            }
            finally
            {
                foreach (string file in Directory.GetFiles(folder.Root, Path.GetFileName(copy) + "*"))
                {
                    File.Delete(file);
                }
            }
        }, files: 50);

        static async Task SearchAsync(string path)
        {
            await using SqliteGallery gallery = await SqliteGallery.OpenAsync(path);
            await gallery.SearchAsync(Rows.Random(1, 8, 3)[0], GalleryFolder.Contract, 1);
            await gallery.CountAsync();
        }
    }

    [Theory]
    [InlineData("SELECT NULL")]
    [InlineData("SELECT 'x'")]
    public async Task A_value_that_a_gallery_cannot_hold_is_damage(string sql)
    {
        // Found by fuzzing: a damaged page gave NULL where the table allows none.
        await using SqliteConnection connection = new("Data Source=:memory:;Pooling=False");
        connection.Open();
        SqlSession session = new(connection, TestContext.Current.CancellationToken);
        UniFaceException error = await Assert.ThrowsAsync<UniFaceException>(() => session.QueryAsync(sql, row => row.GetGuid(0)));
        Assert.Contains("the gallery is damaged", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Key() => Fuzzer.Run([Encoding.ASCII.GetBytes(new string('0', 64))], bytes =>
    {
        string path = Path.Combine(folder.Root, "key");
        File.WriteAllBytes(path, bytes);
        GalleryKey.FromFile(path);
    });
}
