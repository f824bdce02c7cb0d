using System.Text.Json;

namespace UniFace.Cli.Tests.Bench;

/// <summary>bench search confirms that the index is exact.</summary>
public sealed class BenchSearchCommandTests
{
    [Fact]
    public void Bench_search_prints_every_documented_field_and_agrees_with_brute_force()
    {
        JsonElement speeds = CliProcess.Run("bench", "search", "--size", "3000", "--dim", "20", "--queries", "1,9", "--json").Expect(0).Json();
        Assert.Equal([1, 9], speeds.EnumerateArray().Select(s => s.GetProperty("queries").GetInt32()));
        foreach (JsonElement speed in speeds.EnumerateArray())
        {
            Assert.Equal((3000, 20, 1), (speed.GetProperty("size").GetInt32(), speed.GetProperty("dim").GetInt32(), speed.GetProperty("exact").GetDouble()));

            // The median is printed to a microsecond.
            Assert.True(speed.GetProperty("qps").GetDouble() > 0);
            Assert.Equal(
                speed.GetProperty("queries").GetInt32() * 1000 / speed.GetProperty("qps").GetDouble(), speed.GetProperty("medianMs").GetDouble(), 0.001);

            // 20 dimensions are padded to 32, and a row has a scale and an error of 4 bytes each.
            Assert.Equal(40, speed.GetProperty("bytesPerRow").GetDouble());
        }

        Assert.Contains("expected numbers", CliProcess.Run("bench", "search", "--queries", "1,x").Expect(2).Error, StringComparison.Ordinal);
    }
}
