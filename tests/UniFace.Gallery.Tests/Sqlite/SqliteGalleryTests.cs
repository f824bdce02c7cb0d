using CsCheck;
using Microsoft.Data.Sqlite;
using UniFace.Gallery.Sqlite;
using UniFace.Gallery.Tests.Index;

namespace UniFace.Gallery.Tests.Sqlite;

/// <summary>A gallery file answers as a comparison with everybody does after any changes, and reports every kind of damage.</summary>
public sealed class SqliteGalleryTests : IDisposable
{
    private const string Contract = GalleryFolder.Contract;

    private readonly GalleryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(PersonScore.Best, false)]
    [InlineData(PersonScore.Mean, false)]
    [InlineData(PersonScore.Best, true)]
    [InlineData(PersonScore.Mean, true)]
    public async Task Searches_equal_a_comparison_with_everybody_after_any_changes_and_reopening(PersonScore scoring, bool encrypted)
    {
        GalleryKey? key = encrypted ? GalleryFolder.Key : null;
        string path = folder.Create(scoring, key: key);
        Random random = new(7);
        float[][] vectors = Rows.Hard(400, 8, 1), probes = Rows.Hard(6, 8, 2);
        List<(string Person, List<float[]> Templates)> expected = [];
        SqliteGallery gallery = await SqliteGallery.OpenAsync(path, key);
        for (int step = 0; step < 60; step++)
        {
            switch (random.Next(6))
            {
                case 0 when expected.Count > 0:
                    string removed = expected[random.Next(expected.Count)].Person;
                    Assert.True(await gallery.RemoveAsync(removed));
                    Assert.False(await gallery.RemoveAsync(removed));
                    expected.RemoveAll(e => e.Person == removed);
                    break;
                case 1:
                    await gallery.StoreIndexAsync();
                    break;
                case 2:
                    await gallery.DisposeAsync();
                    gallery = await SqliteGallery.OpenAsync(path, key);
                    break;
                default:
                    Enrollment Any() => new("person " + random.Next(12), vectors[random.Next(vectors.Length)]);
                    Enrollment[] batch = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => Any())];
                    await gallery.EnrollAsync(batch, Contract);
                    foreach (Enrollment e in batch)
                    {
                        int at = expected.FindIndex(p => p.Person == e.Person);
                        if (at < 0)
                        {
                            expected.Add((e.Person, []));
                            at = expected.Count - 1;
                        }

                        expected[at].Templates.Add(e.Embedding.ToArray());
                    }

                    break;
            }

            if (step % 4 == 0)
            {
                await Check();
            }
        }

        await Check();
        Assert.Equal(expected.Select(e => new GalleryPerson(e.Person, e.Templates.Count)), await gallery.ListAsync().ToListAsync());
        Assert.Equal(new GalleryCounts(expected.Count, expected.Sum(e => e.Templates.Count)), await gallery.CountAsync());
        await gallery.StoreIndexAsync();
        Assert.Empty(await gallery.VerifyIntegrityAsync());
        Assert.Equal(!encrypted, File.Exists(path + ".index"));
        await gallery.DisposeAsync();

        async Task Check()
        {
            IReadOnlyList<IReadOnlyList<GalleryCandidate>> found = await gallery.SearchAsync(probes.SelectMany(p => p).ToArray(), Contract, 5);
            for (int p = 0; p < probes.Length; p++)
            {
                double[] scores = [.. expected.Select(e => Score(e.Templates, probes[p])).OrderDescending().Take(5)];
                Assert.Equal(scores.Length, found[p].Count);
                for (int i = 0; i < scores.Length; i++)
                {
                    Assert.Equal(scores[i], found[p][i].Score, 1e-6);
                    Assert.Equal(scores[i], Score(expected.Single(e => e.Person == found[p][i].Person).Templates, probes[p]), 1e-6);
                }

                Assert.Equal(found[p].Count, found[p].Select(c => c.Person).Distinct().Count());
            }
        }

        double Score(List<float[]> templates, float[] probe)
        {
            double[] each = [.. templates.Select(t => Math.Clamp(Rows.Score(t, probe), -1, 1))];
            return scoring == PersonScore.Best ? each.Max() : each.Average();
        }
    }

    [Fact]
    public async Task A_second_writer_gets_an_error_and_nothing_is_lost()
    {
        string path = folder.Create();
        float[] v = Rows.Random(1, 8, 3)[0];
        await using SqliteGallery gallery = await SqliteGallery.OpenAsync(path);
        await using (SqliteConnection other = new($"Data Source={path};Pooling=False"))
        {
            other.Open();
            using SqliteTransaction writing = other.BeginTransaction(deferred: false);
            await Errors.ContainAsync("another process is writing", () => gallery.EnrollAsync([new Enrollment("a", v)], Contract));
        }

        await gallery.EnrollAsync([new Enrollment("a", v)], Contract);
        Assert.Equal(1, (await gallery.CountAsync()).Templates);
    }

    [Fact]
    public async Task A_missing_damaged_or_foreign_file_is_refused_in_one_line()
    {
        string path = folder.Create();
        await using (SqliteGallery gallery = await SqliteGallery.OpenAsync(path))
        {
            await gallery.EnrollAsync([.. Rows.Random(300, 8, 3).Select((v, i) => new Enrollment("p" + i, v))], Contract);
        }

        await Errors.ContainAsync("exists already", () => Task.Run(() => SqliteGallery.Create(path, new GalleryInfo { ContractId = "c", EmbeddingSize = 1 })));
        await Errors.ContainAsync("no such gallery", () => SqliteGallery.OpenAsync(path + "x"));
        string text = Path.Combine(folder.Root, "text");
        File.WriteAllText(text, new string('x', 5000));
        await Errors.ContainAsync("not a gallery", () => SqliteGallery.OpenAsync(text));
        string other = Path.Combine(folder.Root, "other.db");
        await using (SqliteConnection connection = new($"Data Source={other};Pooling=False"))
        {
            connection.Open();
            using SqliteCommand command = new("CREATE TABLE t(x)", connection);
            command.ExecuteNonQuery();
        }

        await Errors.ContainAsync("not of a gallery", () => SqliteGallery.OpenAsync(other));
        byte[] bytes = File.ReadAllBytes(path);
        new Random(1).NextBytes(bytes.AsSpan(16384 * 2, bytes.Length - (16384 * 2)));
        File.WriteAllBytes(path, bytes);
        UniFaceException damaged = await Assert.ThrowsAsync<UniFaceException>(async () =>
        {
            await using SqliteGallery gallery = await SqliteGallery.OpenAsync(path);
            await gallery.SearchAsync(Rows.Random(1, 8, 3)[0], Contract, 1);
        });
        Assert.Contains("damaged", damaged.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', damaged.Message);
    }

    [Fact]
    public async Task A_full_disk_is_reported_and_earlier_enrollments_are_kept()
    {
        string path = folder.Create(size: 512);
        float[][] v = Rows.Random(200, 512, 3);
        await using SqliteGallery gallery = await SqliteGallery.OpenAsync(path);
        await gallery.EnrollAsync([new Enrollment("a", v[0])], Contract);
        await gallery.LimitPagesAsync(20);
        await Errors.ContainAsync("disk is full", () => gallery.EnrollAsync([.. v.Select(x => new Enrollment("b", x))], Contract));
        Assert.Equal([new GalleryPerson("a", 1)], await gallery.ListAsync().ToListAsync());
        Assert.Empty(await gallery.VerifyIntegrityAsync());
    }

    [Fact]
    public async Task A_stored_index_that_is_damaged_or_of_another_gallery_is_ignored()
    {
        string path = folder.Create(), second = folder.Create();
        float[][] v = Rows.Random(50, 8, 3);
        foreach (string g in new[] { path, second })
        {
            await using SqliteGallery gallery = await SqliteGallery.OpenAsync(g);
            await gallery.EnrollAsync([.. v.Select((x, i) => new Enrollment((g == path ? "p" : "q") + i, x))], Contract);
            await gallery.StoreIndexAsync();
        }

        File.Copy(second + ".index", path + ".index", overwrite: true);
        await Check("another gallery");
        File.WriteAllText(path + ".index", "x");
        await Check("too few");

        async Task Check(string problem)
        {
            await using SqliteGallery gallery = await SqliteGallery.OpenAsync(path);
            Assert.Equal("p7", (await gallery.IdentifyAsync(v[7], Contract, 0.99)).Person);
            Assert.Contains(problem, Assert.Single(await gallery.VerifyIntegrityAsync()), StringComparison.Ordinal);
            Assert.Equal(50, await gallery.RebuildIndexAsync());
            Assert.Empty(await gallery.VerifyIntegrityAsync());
        }
    }

    [Fact]
    public async Task Integrity_names_a_changed_embedding()
    {
        string path = folder.Create();
        await using (SqliteGallery gallery = await SqliteGallery.OpenAsync(path))
        {
            await gallery.EnrollAsync([.. Rows.Random(3, 8, 3).Select((v, i) => new Enrollment("p" + i, v))], Contract);
        }

        await using (SqliteConnection connection = new($"Data Source={path};Pooling=False"))
        {
            connection.Open();
            using SqliteCommand command = new("UPDATE template SET embedding = (SELECT embedding FROM template WHERE id = 1) WHERE id = 2", connection);
            command.ExecuteNonQuery();
        }

        await using SqliteGallery opened = await SqliteGallery.OpenAsync(path);
        Assert.Equal(["template 2 of p1: the checksum does not match"], await opened.VerifyIntegrityAsync());
    }
}
