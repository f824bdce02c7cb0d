using System.Text.Json;
using UniFace.TestSupport;

namespace UniFace.Cli.Tests.Bench;

/// <summary>bench gallery loads, measures and kills writers on PostgreSQL; its exact search agrees with its own comparison with every template.</summary>
public sealed class BenchGalleryCommandTests(PostgresServer server) : IClassFixture<PostgresServer>
{
    [Theory]
    [InlineData("clustered", 3)]
    [InlineData("random", 1)]
    public void Bench_gallery_prints_every_documented_field_and_continues_on_the_loaded_gallery(string data, int perPerson)
    {
        string[] command =
        [
            "bench", "gallery", server.Url("bench-" + data), "--data", data, "--people", "300", "--templates", "3", "--dim", "32", "--ef-search", "10,200",
            "--hnsw-m", "8", "--hnsw-ef-construction", "32", "--probes", "25", "--workers", "2", "--seconds", "1", "--kills", "1", "--json",
        ];
        JsonElement loaded = CliProcess.Run([.. command, "--load-only"]).Expect(0).Json().GetProperty("load");
        Assert.Equal(300 * perPerson, loaded.GetProperty("templates").GetInt32());
        Assert.True(loaded.GetProperty("templatesPerSecond").GetDouble() > 0);
        Assert.True(loaded.GetProperty("graphBytesPerTemplate").GetDouble() > 2 * 32);

        JsonElement measured = CliProcess.Run(command).Expect(0).Json();
        Assert.Equal(0, measured.GetProperty("load").GetProperty("templatesPerSecond").GetDouble());
        JsonElement[] searches = [.. measured.GetProperty("searches").EnumerateArray()];
        Assert.Equal(["hnsw", "hnsw", "exact"], searches.Select(s => s.GetProperty("search").GetString()));
        Assert.Equal(1, searches[2].GetProperty("recallAt1").GetDouble());
        Assert.Equal(JsonValueKind.Null, searches[2].GetProperty("efSearch").ValueKind);
        Assert.Equal(perPerson == 1, searches[0].GetProperty("rank1").ValueKind == JsonValueKind.Null);
        foreach (string times in new[] { "alone", "busy", "writes" })
        {
            JsonElement[] each = [.. searches.Select(s => s.GetProperty(times))];
            Assert.All(each, t => Assert.True(t.GetProperty("p99Ms").GetDouble() >= t.GetProperty("p50Ms").GetDouble()));
        }

        JsonElement loss = measured.GetProperty("loss");
        Assert.True(loss.GetProperty("acknowledged").GetInt32() > 0);
        Assert.Equal((0, 0), (loss.GetProperty("lost").GetInt32(), loss.GetProperty("partial").GetInt32()));

        // The people whom writers enrolled are gone.
        JsonElement counts = CliProcess.Run("gallery", "list", server.Url("bench-" + data), "--json").Expect(0).Json();
        Assert.Equal(300, counts.GetProperty("people").GetArrayLength());
    }

    [Fact]
    public void Bench_shards_confirms_that_several_processes_answer_as_one()
    {
        string[] command = ["bench", "shards", "--size", "2000", "--dim", "20", "--processes", "2", "--queries", "1,5", "--json"];
        JsonElement speeds = CliProcess.Run(command).Expect(0).Json();
        Assert.Equal([1, 5], speeds.EnumerateArray().Select(s => s.GetProperty("queries").GetInt32()));
        Assert.All(speeds.EnumerateArray(), s => Assert.True(s.GetProperty("equal").GetBoolean() && s.GetProperty("ratio").GetDouble() > 0));
        Assert.Contains("expected numbers", CliProcess.Run("bench", "shards", "--queries", "0").Expect(2).Error, StringComparison.Ordinal);
    }
}
