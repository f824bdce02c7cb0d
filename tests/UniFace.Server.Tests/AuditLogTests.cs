using UniFace.Server.Security;

namespace UniFace.Server.Tests;

public sealed class AuditLogTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-audit-").FullName;

    private string Log => Path.Combine(folder, "audit.jsonl");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_line_that_was_changed_moved_or_taken_out_shows()
    {
        await WriteAsync(20);
        string[] lines = File.ReadAllLines(Log);
        Assert.Equal((20L, (string?)null), (AuditTrail.Verify(folder).Lines, AuditTrail.Verify(folder).Wrong));
        string last = AuditTrail.Verify(folder).Last;

        Spoil([.. lines[..7], lines[7].Replace("event 7", "event 8", StringComparison.Ordinal), .. lines[8..]]);
        Assert.Contains("line 8", AuditTrail.Verify(folder).Wrong, StringComparison.Ordinal);
        Spoil([.. lines[..7], .. lines[8..]]);
        Assert.Contains("line 8", AuditTrail.Verify(folder).Wrong, StringComparison.Ordinal);
        Spoil([lines[1], lines[0], .. lines[2..]]);
        Assert.Contains("line 1", AuditTrail.Verify(folder).Wrong, StringComparison.Ordinal);

        // A cut end cannot show by itself, but against what somebody noted.
        Spoil(lines[..^1]);
        Assert.Null(AuditTrail.Verify(folder).Wrong);
        Assert.Contains("missing", AuditTrail.Verify(folder, last).Wrong, StringComparison.Ordinal);
        Spoil(lines);
        Assert.Null(AuditTrail.Verify(folder, last).Wrong);
    }

    [Fact]
    public async Task Several_writers_make_one_whole_log()
    {
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => WriteAsync(40))));
        Assert.Equal((120L, (string?)null), (AuditTrail.Verify(folder).Lines, AuditTrail.Verify(folder).Wrong));
    }

    [Fact]
    public async Task A_half_written_line_of_a_kill_is_cut_off_by_the_next()
    {
        await WriteAsync(2);
        File.AppendAllText(Log, "{\"time\":\"2026");
        AuditCheck check = AuditTrail.Verify(folder);
        Assert.Equal((2L, (string?)null, true), (check.Lines, check.Wrong, check.Unfinished));
        await WriteAsync(1);
        Assert.Equal((3L, (string?)null), (AuditTrail.Verify(folder).Lines, AuditTrail.Verify(folder).Wrong));
    }

    [Fact]
    public async Task More_than_a_line_without_an_end_is_not_called_unfinished()
    {
        await WriteAsync(2);
        File.AppendAllText(Log, new string('x', 5000));
        Assert.Contains("line 3", AuditTrail.Verify(folder).Wrong, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_check_lets_others_write_and_reads_what_was_there_when_it_began()
    {
        await using AuditLog log = new(folder);
        await Task.WhenAll(Enumerable.Range(0, 12_000).Select(i => log.AddAsync(new AuditEvent("test", "event " + i))));
        long length = new FileInfo(Log).Length;
        Assert.True(length > 2 << 20, $"{length} bytes are one piece only");
        using IEnumerator<string> lines = AuditLog.ReadLines(Log, length).GetEnumerator();
        Assert.True(lines.MoveNext());
        await log.AddAsync(new AuditEvent("test", "meanwhile"));
        int count = 1;
        while (lines.MoveNext())
        {
            Assert.EndsWith("\"}", lines.Current, StringComparison.Ordinal);
            count++;
        }

        Assert.Equal(12_000, count);
        Assert.Equal((12_001L, (string?)null), (AuditTrail.Verify(folder).Lines, AuditTrail.Verify(folder).Wrong));
    }

    [Fact]
    public async Task A_check_without_the_key_says_so_and_makes_none()
    {
        await WriteAsync(1);
        string key = Path.Combine(folder, "audit.key");
        File.Delete(key);
        Assert.Contains("audit.key: the audit log's key is missing", Assert.Throws<UniFaceException>(() => AuditTrail.Verify(folder)).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(key));
    }

    private async Task WriteAsync(int events)
    {
        await using AuditLog log = new(folder);
        for (int i = 0; i < events; i++)
        {
            await log.AddAsync(new AuditEvent("test", "event " + i, "Ann"));
        }
    }

    private void Spoil(string[] lines) => File.WriteAllText(Log, string.Concat(lines.Select(l => l + "\n")));
}
