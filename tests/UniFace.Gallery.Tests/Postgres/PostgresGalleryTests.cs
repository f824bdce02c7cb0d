using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using UniFace.Gallery.Postgres;
using UniFace.Gallery.Tests.Index;
using UniFace.TestSupport;

namespace UniFace.Gallery.Tests.Postgres;

/// <summary>Replicas lose nothing, removed people leave no bytes, and every error of the server is one line.</summary>
[Collection("PostgreSQL")]
public sealed class PostgresGalleryTests(PostgresServer server)
{
    private const string Contract = "contract-a";

    [Fact]
    public async Task Concurrent_enrollments_and_removals_lose_and_duplicate_nothing()
    {
        const int Replicas = 4, Rounds = 12;
        PostgresAddress address = await NewAsync();
        float[][] v = Rows.Random(Replicas * Rounds * 3, 8, 3);
        await Task.WhenAll(Enumerable.Range(0, Replicas).Select(replica => Task.Run(async () =>
        {
            await using PostgresGallery gallery = await PostgresGallery.OpenAsync(address);
            for (int round = 0; round < Rounds; round++)
            {
                // Every replica uses the same names in another order.
                int at = ((replica * Rounds) + round) * 3;
                string[] names = replica % 2 == 0 ? ["ann", "bob", $"of {replica}"] : [$"of {replica}", "bob", "ann"];
                IReadOnlyList<long> ids = await gallery.EnrollAsync(
                    [.. names.Select((n, i) => new Enrollment(n, v[at + i], default, $"{replica}.{round}"))], Contract);
                Assert.Equal(3, ids.Distinct().Count());

                // Every replica finds an acknowledged template at once.
                Assert.Equal($"of {replica}", (await gallery.IdentifyAsync(v[at + names.IndexOf($"of {replica}")], Contract, 0.999)).Person);
                if (round == 5)
                {
                    await gallery.RemoveAsync($"of {replica}");
                }
            }
        })));
        await using PostgresGallery opened = await PostgresGallery.OpenAsync(address);
        Assert.Empty(await opened.VerifyIntegrityAsync());
        Assert.Equal(
            [("ann", Replicas * Rounds), ("bob", Replicas * Rounds), .. Enumerable.Range(0, Replicas).Select(r => ($"of {r}", Rounds - 6))],
            (await opened.ListAsync().ToListAsync()).Select(p => (p.Name, p.Templates)).OrderBy(p => p.Name, StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(PersonScore.Best)]
    [InlineData(PersonScore.Mean)]
    public async Task A_template_with_another_norm_is_skipped_and_reported(PersonScore scoring)
    {
        PostgresAddress address = await NewAsync(scoring: scoring);
        await using PostgresGallery gallery = await PostgresGallery.OpenAsync(address);
        float[][] v = Rows.Random(20, 8, 3);
        IReadOnlyList<long> ids = await gallery.EnrollAsync([.. v.Select((x, i) => new Enrollment("p" + i, x))], Contract);
        await SqlAsync(string.Create(CultureInfo.InvariantCulture, $"UPDATE uniface.template SET embedding = '[1e30,0,0,0,0,0,0,0]' WHERE id = {ids[3]}"));
        for (int i = 0; i < v.Length; i++)
        {
            Assert.Equal(i == 3 ? null : "p" + i, (await gallery.IdentifyAsync(v[i], Contract, 0.999)).Person);
        }

        Assert.StartsWith($"p3: template {ids[3]} is damaged", Assert.Single(gallery.Damage), StringComparison.Ordinal);
        Assert.Single(await gallery.VerifyIntegrityAsync());
        Assert.True(await gallery.RemoveAsync("p3"));
        Assert.Empty(gallery.Damage);
    }

    [Fact]
    public async Task A_removed_person_leaves_no_bytes_in_the_database_files()
    {
        PostgresAddress address = await NewAsync(crops: true, size: 600);
        await using PostgresGallery gallery = await PostgresGallery.OpenAsync(address);
        float[][] v = Rows.Random(40, 600, 3);
        static byte[] Crop(int i)
        {
            byte[] crop = new byte[3000];
            new Random(i).NextBytes(crop);
            return crop;
        }

        await gallery.EnrollAsync([.. v.Select((x, i) => new Enrollment($"Name-of-person-{i:D4}", x, Crop(i), $"Photo-of-{i:D4}"))], Contract);
        await SqlAsync("ANALYZE");
        await SqlAsync("CHECKPOINT");
        byte[][] traces =
        [
            Encoding.UTF8.GetBytes("Name-of-person-0017"),
            Encoding.UTF8.GetBytes("Photo-of-0017"),
            MemoryMarshal.AsBytes<float>(v[17])[..16].ToArray(),
            Crop(17)[..16],
        ];
        Assert.All(traces, t => Assert.NotEmpty(FilesWith(t)));
        Assert.True(await gallery.RemoveAsync("Name-of-person-0017"));
        await SqlAsync("CHECKPOINT");
        Assert.All(traces, t => Assert.Empty(FilesWith(t)));
        Assert.NotEmpty(FilesWith(Encoding.UTF8.GetBytes("Name-of-person-0018")));
        Assert.Empty(await gallery.VerifyIntegrityAsync());
        Assert.Equal(39, (await gallery.CountAsync()).People);

        IEnumerable<string> FilesWith(byte[] bytes) => Directory.EnumerateFiles(Path.Combine(server.Data, "base"), "*", SearchOption.AllDirectories)
            .Where(f => File.ReadAllBytes(f).AsSpan().IndexOf(bytes) >= 0);
    }

    [Fact]
    public async Task Hnsw_has_high_recall_and_exact_scores_and_can_be_rebuilt()
    {
        // With so few templates the server would not use the graph by itself.
        PostgresAddress address = await NewAsync(hnsw: true, size: 64, settings: "&options=-c%20enable_seqscan%3Doff%20-c%20enable_sort%3Doff");
        await using PostgresGallery gallery = await PostgresGallery.OpenAsync(address);
        float[][] v = Rows.Random(1500, 64, 3), probes = Rows.Random(20, 64, 4);
        await gallery.EnrollAsync([.. v.Select((x, i) => new Enrollment($"p{i}", x))], Contract);
        Assert.True(await gallery.RemoveAsync("p0"));
        for (int pass = 0; pass < 2; pass++)
        {
            IReadOnlyList<IReadOnlyList<GalleryCandidate>> found = await gallery.SearchAsync(probes.SelectMany(p => p).ToArray(), Contract, 10);
            int hits = 0;
            for (int p = 0; p < probes.Length; p++)
            {
                HashSet<string> best = [.. Enumerable.Range(1, v.Length - 1).OrderByDescending(i => Rows.Score(probes[p], v[i])).Take(10).Select(i => $"p{i}")];
                hits += found[p].Count(c => best.Contains(c.Person));
                Assert.Equal(10, found[p].Count);
                Assert.All(found[p], c => Assert.Equal(Rows.Score(probes[p], v[int.Parse(c.Person[1..])]), c.Score));
            }

            Assert.InRange(hits, 180, 200);
            Assert.Equal("p77", (await gallery.IdentifyAsync(v[77], Contract, 0.999)).Person);
            if (pass == 0)
            {
                Assert.Equal(1499, await gallery.RebuildIndexAsync());
            }
        }

        Assert.Empty(await gallery.VerifyIntegrityAsync());
        await gallery.DisposeAsync();
        for (int wait = 0; await SqlAsync("SELECT sum(idx_scan) FROM pg_stat_user_indexes WHERE indexrelname LIKE 'template%hnsw'") is 0m; wait++)
        {
            Assert.True(wait < 2400, "the graph was not searched");
            await Task.Delay(50);
        }
    }

    [Fact]
    public async Task A_graph_built_after_the_load_is_searched_keeps_its_parameters_and_finds_what_is_enrolled_later()
    {
        const string Force = "&ef_search=200&options=-c%20enable_seqscan%3Doff%20-c%20enable_sort%3Doff";
        PostgresAddress address = await NewAsync(crops: true, size: 16, settings: Force);
        await using PostgresGallery gallery = await PostgresGallery.OpenAsync(address);
        float[][] v = Rows.Random(300, 16, 3), after = Rows.Random(300, 12, 4);
        await gallery.EnrollAsync([.. v[..299].Select((x, i) => new Enrollment($"p{i}", x, BitConverter.GetBytes(i)))], Contract);
        await ErrorAssert.ContainsAsync("rebuild it with HNSW", () => gallery.RebuildIndexAsync());
        await ErrorAssert.ContainsAsync("at least 2 m", () => gallery.BuildGraphAsync(new() { M = 8, EfConstruction = 15 }));
        Assert.Equal(299, await gallery.BuildGraphAsync(new() { M = 8, EfConstruction = 40 }));
        await FindsAsync(v, Contract, 298);
        await gallery.EnrollAsync([new("p299", v[299], BitConverter.GetBytes(299))], Contract);
        await FindsAsync(v, Contract, 299);
        Assert.Equal("{m=8,ef_construction=40}", await OptionsAsync());
        Assert.Equal(300, await gallery.BuildGraphAsync(new() { M = 6, EfConstruction = 30 }));
        Assert.True(await gallery.RemoveAsync("p0"));
        await gallery.ReembedAsync(new GalleryModel("contract-b", 12, "b", crops => [.. crops.SelectMany(c => after[BitConverter.ToInt32(c)])]));
        Assert.Equal("{m=6,ef_construction=30}", await OptionsAsync());
        await FindsAsync(after, "contract-b", 299);
        Assert.Empty(await gallery.VerifyIntegrityAsync());
        await using PostgresGallery mean = await PostgresGallery.OpenAsync(await NewAsync(scoring: PersonScore.Mean));
        await ErrorAssert.ContainsAsync("by the mean", () => mean.BuildGraphAsync());

        async Task FindsAsync(float[][] rows, string contract, int i)
        {
            Assert.Equal($"p{i}", (await gallery.IdentifyAsync(rows[i], contract, 0.999)).Person);
            await using PostgresGallery again = await PostgresGallery.OpenAsync(address);
            Assert.True(again.HasGraph);
            Assert.Equal($"p{i}", (await again.IdentifyAsync(rows[i], contract, 0.999)).Person);
        }

        Task<object?> OptionsAsync() => SqlAsync($"SELECT reloptions::text FROM pg_class WHERE oid = to_regclass('{gallery.Store.Graph}')");
    }

    [Fact]
    public async Task Enrollment_search_and_removal_read_no_other_people()
    {
        PostgresAddress address = await NewAsync(crops: true, size: 8, hnsw: true);

        // With so few templates the server would not use the graph by itself.
        PostgresAddress searched = PostgresAddress.Parse(server.Url(address.Gallery) + "&options=-c%20enable_sort%3Doff");
        float[][] v = Rows.Random(20_001, 8, 3);
        await using PostgresGallery gallery = await PostgresGallery.OpenAsync(address);
        await gallery.EnrollAsync([.. v[1..].Select((x, i) => new Enrollment($"p{i}", x, new byte[] { 1 }))], Contract);
        await SqlAsync($"ANALYZE {gallery.Store.People}, {gallery.Store.Templates}, {gallery.Store.Crops}; SELECT pg_stat_force_next_flush()");
        object? before = await RowsReadAsync();
        await gallery.EnrollAsync([new("new", v[0], new byte[] { 1 }, PhotoSha256: new string('a', 64))], Contract);
        await gallery.EnrollAsync([new("new", v[0], new byte[] { 1 }, PhotoSha256: new string('a', 64))], Contract);
        await using (PostgresGallery graph = await PostgresGallery.OpenAsync(searched))
        {
            Assert.Equal("new", (await graph.SearchAsync(v[0], Contract, 1))[0][0].Person);
        }

        Assert.NotNull(await gallery.ReadPersonAsync("new"));
        Assert.Single(await gallery.GetPhotosAsync("new"));
        await gallery.DisposeAsync(); // The backends report what they have read when they end.
        for (int wait = 0; (long)(await RowsReadAsync())! == (long)before!; wait++)
        {
            Assert.True(wait < 2400, "the server reports no reads");
            await Task.Delay(50);
        }

        Assert.InRange((long)(await RowsReadAsync())! - (long)before!, 1, 5_000);

        Task<object?> RowsReadAsync() => SqlAsync(
            "SELECT sum(seq_tup_read + idx_tup_fetch + coalesce((SELECT sum(idx_tup_read) FROM pg_stat_user_indexes i WHERE i.relid = t.relid), 0))::bigint " +
            $"FROM pg_stat_user_tables t WHERE schemaname = 'uniface' AND relname LIKE '%!_{gallery.Store.Number}' ESCAPE '!'");
    }

    [Fact]
    public async Task The_next_removal_finishes_one_that_a_reader_prevented_from_erasing()
    {
        PostgresAddress address = await NewAsync();
        float[][] v = Rows.Random(2, 8, 3);
        await using PostgresGallery gallery = await PostgresGallery.OpenAsync(address);
        await gallery.EnrollAsync([new Enrollment("ann", v[0]), new Enrollment("bob", v[1])], Contract);
        await using (Npgsql.NpgsqlConnection reader = new(address.ConnectionString))
        {
            await reader.OpenAsync();
            await using Npgsql.NpgsqlTransaction reading = await reader.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
            await using (Npgsql.NpgsqlCommand command = new("SELECT count(*) FROM uniface.template", reader))
            {
                await command.ExecuteScalarAsync();
            }

            using CancellationTokenSource stop = new();
            Task removal = gallery.RemoveAsync("ann", stop.Token);
            for (int wait = 0; (await gallery.CountAsync()).People > 1; wait++)
            {
                Assert.True(wait < 2400, "the removal was not committed");
                await Task.Delay(50);
            }

            await stop.CancelAsync(); // it is committed and waits for the reader
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => removal);
            Assert.Contains("not erased", Assert.Single(await gallery.VerifyIntegrityAsync()), StringComparison.Ordinal);
        }

        Assert.False(await gallery.RemoveAsync("ann"));
        Assert.Empty(await gallery.VerifyIntegrityAsync());
    }

    [Fact]
    public async Task Errors_of_server_database_user_and_gallery_are_one_line()
    {
        PostgresAddress there = await NewAsync();
        await SqlAsync("CREATE ROLE plain LOGIN");
        await SqlAsync("CREATE DATABASE bare");
        GalleryInfo info = new() { ContractId = Contract, EmbeddingSize = 8 };
        await ErrorAssert.ContainsAsync("already exists", () => PostgresGallery.CreateAsync(there, info));
        await ErrorAssert.ContainsAsync("no such gallery", () => PostgresGallery.OpenAsync(PostgresAddress.Parse(server.Url("none"))));
        await ErrorAssert.ContainsAsync("has no galleries", () => PostgresGallery.OpenAsync(PostgresAddress.Parse(server.Url("g", "bare"))));
        await ErrorAssert.ContainsAsync("no database 'nowhere'", () => PostgresGallery.OpenAsync(PostgresAddress.Parse(server.Url("g", "nowhere"))));
        await ErrorAssert.ContainsAsync("refuses the user", () => PostgresGallery.OpenAsync(PostgresAddress.Parse(server.Url("g", user: "stranger"))));
        await ErrorAssert.ContainsAsync("may not", () => PostgresGallery.CreateAsync(PostgresAddress.Parse(server.Url("g", "bare", "plain")), info));
        PostgresAddress nobody = PostgresAddress.Parse("postgres://127.0.0.1:1/db?gallery=g"), other = PostgresAddress.Parse(server.Url("e"));
        await ErrorAssert.ContainsAsync("no PostgreSQL server answers", () => PostgresGallery.OpenAsync(nobody));
        await ErrorAssert.ContainsAsync("cannot be encrypted", () => PostgresGallery.CreateAsync(other, info with { Encrypted = true }));
        await ErrorAssert.ContainsAsync("without HNSW", () => PostgresGallery.CreateAsync(other, info with { Scoring = PersonScore.Mean }, hnsw: true));
        await using PostgresGallery gallery = await PostgresGallery.OpenAsync(there);
        await ErrorAssert.ContainsAsync("no index", () => gallery.RebuildIndexAsync());
    }

    private async Task<object?> SqlAsync(string sql)
    {
        await using Npgsql.NpgsqlConnection connection = new(PostgresAddress.Parse(server.Url("none") + "&pooling=false").ConnectionString);
        await connection.OpenAsync();
        await using Npgsql.NpgsqlCommand command = new(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    private async Task<PostgresAddress> NewAsync(
        bool crops = false, int size = 8, bool hnsw = false, string settings = "", PersonScore scoring = PersonScore.Best)
    {
        PostgresAddress address = PostgresAddress.Parse(server.Url($"g-{Guid.NewGuid():N}") + settings);
        GalleryInfo info = new() { ContractId = Contract, EmbeddingSize = size, KeepsCrops = crops, Scoring = scoring };
        await PostgresGallery.CreateAsync(address, info, hnsw);
        return address;
    }
}
