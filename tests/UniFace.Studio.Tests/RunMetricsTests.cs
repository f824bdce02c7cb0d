using System.Text.Json;
using UniFace.Studio.Runs;
using UniFace.Training.Runs;

namespace UniFace.Studio.Tests;

/// <summary>Only new lines of a metrics file are read. The tests corrupt bytes that must not be read again, and restore length and time.</summary>
public sealed class RunMetricsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-log-").FullName;

    private string Log => Path.Combine(folder, "metrics.jsonl");

    [Fact]
    public void A_log_that_has_not_changed_is_not_read_again()
    {
        File.WriteAllText(Log, Row(1) + Row(2));
        RunMetrics log = new(Log);
        Assert.Equal([1, 2], Steps(log.Read(null).Rows));
        Spoil(Log, File.ReadAllText(Log).Length);
        Assert.Equal([1, 2], Steps(log.Read(null).Rows));
        Assert.Equal(2, log.Digest().Last?.GetProperty("step").GetInt32());
        Assert.Empty(new RunMetrics(Log).Read(null).Rows); // nothing of it can be read any more
    }

    [Fact]
    public void Only_appended_lines_are_read()
    {
        string[] lines = [.. Enumerable.Range(1, 40).Select(Row)];
        File.WriteAllText(Log, string.Concat(lines));
        RunMetrics log = new(Log);
        (_, string cursor, bool whole) = log.Read(null);
        Assert.True(whole);
        Spoil(Log, lines[..20].Sum(l => l.Length) - 1); // the end stays: by it the log is known to be the same
        File.AppendAllText(Log, Row(41) + "{\"step\":42,");
        (IReadOnlyList<JsonElement> rows, string next, bool all) = log.Read(cursor);
        Assert.Equal([41], Steps(rows));
        Assert.False(all);
        File.AppendAllText(Log, "\"kind\":\"step\"}\n");
        Assert.Equal([42], Steps(log.Read(next).Rows));
        Assert.Equal(Enumerable.Range(1, 42), Steps(log.Read(null).Rows));
        Assert.Equal(Enumerable.Range(21, 22), Steps(new RunMetrics(Log).Read(null).Rows));
    }

    [Fact]
    public void A_truncated_or_rewritten_log_is_read_from_its_start()
    {
        File.WriteAllText(Log, Row(1) + Row(2) + Row(3));
        RunMetrics log = new(Log);
        string cursor = log.Read(null).Cursor;
        File.WriteAllText(Log, Row(1));
        (IReadOnlyList<JsonElement> rows, string next, bool whole) = log.Read(cursor);
        Assert.Equal([1], Steps(rows));
        Assert.True(whole);
        File.WriteAllText(Log, Row(7) + Row(8) + Row(9) + Row(10)); // longer than before, and another
        Assert.Equal([7, 8, 9, 10], Steps(log.Read(next).Rows));
        File.Delete(Log);
        Assert.Empty(log.Read(null).Rows);
        Assert.Null(log.Digest().Last);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("00000000000000000000000000000000-1")]
    [InlineData("--")]
    public void A_cursor_of_another_pass_returns_all_rows(string cursor)
    {
        File.WriteAllText(Log, Row(1) + "no row\n[1]\n\n" + Row(2));
        RunMetrics log = new(Log);
        Assert.Equal([1, 2], Steps(log.Read(cursor).Rows));
        string reading = log.Read(null).Cursor.Split('-')[0];
        Assert.Equal([1, 2], Steps(log.Read(reading + "-3").Rows));
        Assert.Equal([1, 2], Steps(log.Read(reading + "--1").Rows));
        Assert.Empty(log.Read(reading + "-2").Rows);
    }

    [Fact]
    public void Dropped_rows_are_read_again_and_the_digest_stays()
    {
        File.WriteAllText(Log, """{"kind":"epoch","step":1,"validation":{"tarAtFar":0.5}}""" + "\n" + Row(2));
        RunMetrics log = new(Log);
        Assert.Equal((1, 1, 2), StepsOf(log.Digest()));
        Assert.Equal(0, log.KeptBytes);
        Assert.Equal([1, 2], Steps(log.Read(null).Rows));
        Assert.Equal(new FileInfo(Log).Length, log.KeptBytes);
        log.Forget();
        Assert.Equal(0, log.KeptBytes);
        File.AppendAllText(Log, Row(3));
        Assert.Equal((1, 1, 3), StepsOf(log.Digest()));
        Assert.Equal([1, 2, 3], Steps(log.Read(null).Rows));

        static (int, int, int) StepsOf(RunDigest d) =>
            (
                d.LastValidation!.Value.GetProperty("step").GetInt32(),
                d.LastEpoch!.Value.GetProperty("step").GetInt32(),
                d.Last!.Value.GetProperty("step").GetInt32());
    }

    [Fact]
    public void Only_the_newest_rows_of_a_very_long_log_are_read()
    {
        string padding = new('x', 1 << 20);
        using (StreamWriter writer = new(Log))
        {
            for (int step = 1; step <= 20; step++)
            {
                writer.Write($$"""{"kind":"step","step":{{step}},"padding":"{{padding}}"}""" + "\n");
            }
        }

        RunMetrics log = new(Log);
        int[] steps = Steps(log.Read(null).Rows);
        Assert.Equal(Enumerable.Range(6, 15), steps); // 16 MB hold fifteen of them whole
    }

    [Fact]
    public async Task A_list_of_runs_reads_no_file_twice()
    {
        await using RunningServer server = await StudioServer.StartAsync(model: false);
        string run = FakeRun.Write(Path.Combine(server.Folder, "runs"), "one", 4);
        File.WriteAllText(
            Path.Combine(run, RunFolder.NotesFile),
            """{"time":"2026-11-24T12:00:00Z","step":40,"epoch":4,"kind":"finished","message":"done"}""" + "\n");
        string before = await server.Client.GetStringAsync("/v1/runs");
        string whole = await server.Client.GetStringAsync("/v1/runs/one");
        foreach (string file in new[] { RunFolder.InfoFile, RunFolder.MetricsFile, RunFolder.NotesFile })
        {
            Spoil(Path.Combine(run, file), (int)new FileInfo(Path.Combine(run, file)).Length);
        }

        Assert.Equal(before, await server.Client.GetStringAsync("/v1/runs"));
        Assert.Equal(whole, await server.Client.GetStringAsync("/v1/runs/one"));
        string cursor = JsonDocument.Parse(whole).RootElement.GetProperty("cursor").GetString()!;
        JsonElement more = JsonDocument.Parse(await server.Client.GetStringAsync("/v1/runs/one?after=" + cursor)).RootElement;
        Assert.Equal((false, 0), (more.GetProperty("whole").GetBoolean(), more.GetProperty("metrics").GetArrayLength()));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static string Row(int step) => $$"""{"kind":"step","step":{{step}},"loss":1.5}""" + "\n";

    private static int[] Steps(IReadOnlyList<JsonElement> rows) => [.. rows.Select(r => r.GetProperty("step").GetInt32())];

    /// <summary>Corrupts the first bytes; length and modification time stay.</summary>
    private static void Spoil(string path, int bytes)
    {
        DateTime written = File.GetLastWriteTimeUtc(path);
        using (FileStream stream = File.OpenWrite(path))
        {
            stream.Write([.. Enumerable.Repeat((byte)'#', bytes)]);
        }

        File.SetLastWriteTimeUtc(path, written);
    }
}
