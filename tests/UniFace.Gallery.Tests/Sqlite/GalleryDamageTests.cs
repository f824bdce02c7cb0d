using Microsoft.Data.Sqlite;
using UniFace.Gallery.Sqlite;
using UniFace.Gallery.Stores;
using UniFace.Gallery.Tests.Index;

namespace UniFace.Gallery.Tests.Sqlite;

/// <summary>A damaged template is left out of searches and its person is reported; everybody else is found as before.</summary>
public sealed class GalleryDamageTests : IDisposable
{
    private const string Contract = GalleryFolder.Contract;

    private readonly GalleryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(PersonScore.Best, false, "flip")]
    [InlineData(PersonScore.Mean, false, "flip")]
    [InlineData(PersonScore.Best, true, "flip")]
    [InlineData(PersonScore.Best, false, "NaN")]
    [InlineData(PersonScore.Mean, false, "huge")]
    [InlineData(PersonScore.Best, false, "short")]
    public async Task The_person_is_reported_and_everybody_else_is_searched_until_the_person_is_enrolled_again(PersonScore scoring, bool encrypted, string kind)
    {
        GalleryKey? key = encrypted ? GalleryFolder.Key : null;
        string path = folder.Create(scoring, key: key);
        float[][] v = Rows.Random(20, 8, 3);
        await using (SqliteGallery gallery = await SqliteGallery.OpenAsync(path, key))
        {
            await gallery.EnrollAsync([.. v.Select((x, i) => new Enrollment("p" + i, x))], Contract);
        }

        await DamageAsync(path, 4, kind);
        await using SqliteGallery opened = await SqliteGallery.OpenAsync(path, key);
        for (int i = 0; i < v.Length; i++)
        {
            Assert.Equal(i == 3 ? null : "p" + i, (await opened.IdentifyAsync(v[i], Contract, 0.999)).Person);
        }

        string reported = Assert.Single(opened.Damage);
        Assert.StartsWith("p3: template 4 is damaged", reported, StringComparison.Ordinal);
        Assert.Contains("'uniface gallery verify-integrity'", reported, StringComparison.Ordinal);
        Assert.StartsWith("template 4 of p3", Assert.Single(await opened.VerifyIntegrityAsync()), StringComparison.Ordinal);

        // No index is stored, so that the next process reports the damage too.
        Assert.Equal(19, await opened.RebuildIndexAsync());
        Assert.False(File.Exists(path + ".index"));
        await Errors.ContainAsync("p3", () => opened.ReadPersonAsync("p3"));

        Assert.True(await opened.RemoveAsync("p3"));
        await opened.EnrollAsync([new Enrollment("p3", v[3])], Contract);
        Assert.Equal("p3", (await opened.IdentifyAsync(v[3], Contract, 0.999)).Person);
        Assert.Empty(opened.Damage);
        Assert.Empty(await opened.VerifyIntegrityAsync());
    }

    private static async Task DamageAsync(string path, long template, string kind)
    {
        await using SqliteConnection connection = new($"Data Source={path};Pooling=False");
        connection.Open();
        SqlSession session = new(connection, default);
        byte[] stored = (byte[])(await session.ScalarAsync("SELECT embedding FROM template WHERE id = $1", template))!;
        bool sealedWell = kind != "flip"; // The checksum is right, the vector is not.
        switch (kind)
        {
            case "flip":
                stored[3] ^= 0x40;
                break;
            case "short":
                stored = stored[..^4];
                break;
            default:
                BitConverter.GetBytes(kind == "NaN" ? float.NaN : 1e30f).CopyTo(stored, 0);
                break;
        }

        await session.RunAsync("UPDATE template SET embedding = $2 WHERE id = $1", template, stored);
        if (sealedWell)
        {
            long checksum = GalleryStore.Checksum(template, stored);
            await session.RunAsync("UPDATE template SET checksum = $2 WHERE id = $1", template, checksum);
        }
    }
}
