using UniFace.AspNetCore.Audit;
using UniFace.AspNetCore.Security;

namespace UniFace.AspNetCore.Tests.Audit;

/// <summary>Lines of the audit log cannot be changed, moved or removed unnoticed, whatever is killed.</summary>
public sealed class AuditLogTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-audit-").FullName;

    private string Log => Path.Combine(folder, "audit.jsonl");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_changed_moved_or_removed_line_is_detected()
    {
        await WriteAsync(20);
        string[] lines = File.ReadAllLines(Log);
        Assert.Equal((20L, (string?)null), (AuditTrail.Verify(folder).Lines, AuditTrail.Verify(folder).Fault));
        string last = AuditTrail.Verify(folder).LastHash;

        Spoil([.. lines[..7], lines[7].Replace("event 7", "event 8", StringComparison.Ordinal), .. lines[8..]]);
        Assert.Contains("line 8", AuditTrail.Verify(folder).Fault, StringComparison.Ordinal);
        Spoil([.. lines[..7], .. lines[8..]]);
        Assert.Contains("line 8", AuditTrail.Verify(folder).Fault, StringComparison.Ordinal);
        Spoil([lines[1], lines[0], .. lines[2..]]);
        Assert.Contains("line 1", AuditTrail.Verify(folder).Fault, StringComparison.Ordinal);

        Spoil(lines);
        Assert.Null(AuditTrail.Verify(folder, last).Fault);
        Assert.Contains("the noted line is missing", AuditTrail.Verify(folder, new string('0', 64)).Fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_deleted_emptied_or_cut_off_log_is_detected_even_after_more_writes(bool rotated)
    {
        long size = rotated ? 500 : long.MaxValue;
        foreach (string attack in (string[])["delete", "empty", "cut", "head", "all but the key"])
        {
            Array.ForEach(Directory.GetFiles(folder), File.Delete);
            await WriteAsync(20, size);
            Assert.Equal((20L, (string?)null), (AuditTrail.Verify(folder).Lines, AuditTrail.Verify(folder).Fault));
            string[] logs = Directory.GetFiles(folder, "audit*.jsonl"), heads = [Path.Combine(folder, "audit.head")];
            switch (attack)
            {
                case "empty":
                    File.WriteAllText(logs.Order(StringComparer.Ordinal).Last(), "");
                    break;
                case "cut":
                    string last = logs.Order(StringComparer.Ordinal).Last();
                    File.WriteAllLines(last, File.ReadAllLines(last)[..^1]);
                    break;
                default:
                    Array.ForEach(attack switch { "delete" => logs, "head" => heads, _ => [.. logs, .. heads] }, File.Delete);
                    break;
            }

            Assert.True(AuditTrail.Verify(folder).Fault is not null, attack);
            await WriteAsync(3, size);
            Assert.True(AuditTrail.Verify(folder).Fault is not null, attack + ", written again");
        }
    }

    [Fact]
    public async Task The_chain_continues_over_full_files_and_all_are_checked()
    {
        await WriteAsync(20, 600);
        string[] full = Directory.GetFiles(folder, "audit-*.jsonl");
        Assert.InRange(full.Length, 3, 20);
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => WriteAsync(5, 600))));
        Assert.Equal((35L, (string?)null), (AuditTrail.Verify(folder).Lines, AuditTrail.Verify(folder).Fault));

        // A kill after a file was renamed, before the head says so.
        int files = Directory.GetFiles(folder, "audit-*.jsonl").Length;
        string head = Path.Combine(folder, "audit.head"), next = Path.Combine(folder, $"audit-{files + 1:D5}.jsonl");
        await WriteAsync(1);
        File.Move(Log, next);
        Assert.Equal((36L, (string?)null), (AuditTrail.Verify(folder).Lines, AuditTrail.Verify(folder).Fault));

        // A kill after lines were written, before the head says so.
        string before = File.ReadAllText(head);
        await WriteAsync(2);
        File.WriteAllText(head, before);
        await WriteAsync(1);
        Assert.Equal((39L, (string?)null), (AuditTrail.Verify(folder).Lines, AuditTrail.Verify(folder).Fault));

        File.Move(full[1], full[1] + ".away");
        Assert.Contains(Path.GetFileName(full[1]) + " is missing", AuditTrail.Verify(folder).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_log_without_head_of_an_older_version_continues()
    {
        await WriteAsync(3);
        File.Delete(Path.Combine(folder, "audit.head"));
        string key = Path.Combine(folder, "audit.key");
        File.WriteAllBytes(key, File.ReadAllBytes(key)[..32]);
        Assert.Equal((3L, (string?)null), (AuditTrail.Verify(folder).Lines, AuditTrail.Verify(folder).Fault));
        await WriteAsync(2);
        Assert.Equal((5L, (string?)null), (AuditTrail.Verify(folder).Lines, AuditTrail.Verify(folder).Fault));
        File.Delete(Path.Combine(folder, "audit.head"));
        Assert.Contains("audit.head", AuditTrail.Verify(folder).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refusals_of_a_key_are_recorded_or_counted_even_if_others_flood_the_log()
    {
        await using (AuditLog log = new(folder))
        {
            await using RefusalAuditor refusals = new(log, new StoppedTimers());
            for (int i = 0; i < 500; i++)
            {
                await refusals.AddAsync("anonymous", "/v1/people", 401, default);
            }

            for (int i = 0; i < 400; i++)
            {
                await refusals.AddAsync("key:0123456789ab", "/v1/people", 403, default);
            }
        }

        System.Text.Json.JsonElement[] lines = [.. File.ReadLines(Log).Select(l => System.Text.Json.JsonDocument.Parse(l).RootElement)];
        foreach ((string who, int refused) in new[] { ("anonymous", 500), ("key:0123456789ab", 400) })
        {
            System.Text.Json.JsonElement[] own = [.. lines.Where(l => l.GetProperty("who").GetString() == who)];
            Assert.InRange(own.Length, 101, refused);
            string[] rest = own[^1].GetProperty("detail").GetString()!.Split(' ', 2);
            Assert.Equal("more requests", rest[1]);
            Assert.Equal(refused, own.Length - 1 + int.Parse(rest[0], System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    [Fact]
    public async Task Several_writers_produce_one_intact_log()
    {
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => WriteAsync(10))));
        Assert.Equal((30L, (string?)null), (AuditTrail.Verify(folder).Lines, AuditTrail.Verify(folder).Fault));
    }

    [Fact]
    public async Task An_unfinished_line_is_removed_by_the_next_write()
    {
        await WriteAsync(2);
        File.AppendAllText(Log, "{\"time\":\"2026");
        AuditCheck check = AuditTrail.Verify(folder);
        Assert.Equal((2L, (string?)null, true), (check.Lines, check.Fault, check.HasPartialLine));
        await WriteAsync(1);
        Assert.Equal((3L, (string?)null), (AuditTrail.Verify(folder).Lines, AuditTrail.Verify(folder).Fault));
    }

    [Fact]
    public async Task Data_longer_than_a_line_is_not_a_partial_line()
    {
        await WriteAsync(2);
        File.AppendAllText(Log, new string('x', 5000));
        Assert.Contains("line 3", AuditTrail.Verify(folder).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_check_does_not_block_writers_and_reads_a_snapshot()
    {
        await using AuditLog log = new(folder);
        await Task.WhenAll(Enumerable.Range(0, 12_000).Select(i => log.AddAsync(new AuditEvent("test", "event " + i))));
        long length = new FileInfo(Log).Length;
        Assert.True(length > 2 << 20, $"{length} bytes are one piece only");
        using FileStream read = new(Log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using IEnumerator<string> lines = AuditLines.Read(read, 0, length).GetEnumerator();
        Assert.True(lines.MoveNext());
        await log.AddAsync(new AuditEvent("test", "meanwhile"));
        int count = 1;
        while (lines.MoveNext())
        {
            Assert.EndsWith("\"}", lines.Current, StringComparison.Ordinal);
            count++;
        }

        Assert.Equal(12_000, count);
        Assert.Equal((12_001L, (string?)null), (AuditTrail.Verify(folder).Lines, AuditTrail.Verify(folder).Fault));
    }

    [Fact]
    public async Task Looking_for_lines_after_the_end_costs_little_memory()
    {
        await WriteAsync(2);
        using FileStream read = new(Log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Empty(AuditLines.Read(read, read.Length, read.Length)); // as every write does
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 50_000);
    }

    [Fact]
    public async Task Events_that_nobody_waits_for_are_written_in_their_order_with_those_that_are()
    {
        await using AuditLog log = new(folder);
        for (int i = 0; i < 30; i++)
        {
            await log.AddSoonAsync(new AuditEvent("test", "event " + i), CancellationToken.None);
        }

        await log.AddAsync(new AuditEvent("test", "event 30"));
        Assert.Equal(
            Enumerable.Range(0, 31).Select(i => $"event {i}"),
            File.ReadLines(Log).Select(l => System.Text.Json.JsonDocument.Parse(l).RootElement.GetProperty("what").GetString()));
    }

    [Fact]
    public async Task A_check_without_the_key_fails_and_creates_none()
    {
        await WriteAsync(1);
        string key = Path.Combine(folder, "audit.key");
        File.Delete(key);
        Assert.Contains(
            "audit.key: the audit log's key is missing",
            Assert.Throws<UniFaceException>(() => AuditTrail.Verify(folder)).Message,
            StringComparison.Ordinal);
        Assert.False(File.Exists(key));
    }

    private async Task WriteAsync(int events, long maxBytes = long.MaxValue)
    {
        await using AuditLog log = new(folder, maxBytes);
        for (int i = 0; i < events; i++)
        {
            await log.AddAsync(new AuditEvent("test", "event " + i, "Ann"));
        }
    }

    // The counts that are written every minute would come in between on a slow machine.
    private sealed class StoppedTimers : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private void Spoil(string[] lines) => File.WriteAllText(Log, string.Concat(lines.Select(l => l + "\n")));
}
