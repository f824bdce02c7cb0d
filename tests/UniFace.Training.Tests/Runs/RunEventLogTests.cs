using UniFace.Training.Runs;

namespace UniFace.Training.Tests.Runs;

public sealed class RunEventLogTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-events-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_last_events_of_a_long_log_are_read()
    {
        File.WriteAllLines(Path.Combine(folder, RunFolder.NotesFile), Enumerable.Repeat(new string(' ', 1 << 20), 5));
        RunNote last = new(DateTime.UnixEpoch, 7, 1, RunEvent.Failed, "the disk is full");
        RunEventLog.Add(folder, last);
        Assert.Equal([last], RunEventLog.Read(folder));
    }
}
