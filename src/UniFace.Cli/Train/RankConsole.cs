using UniFace.Training.Distributed;

namespace UniFace.Cli.Train;

/// <summary>
/// The output of `uniface train`, `uniface bench head` and `uniface bench step` under mpiexec: rank 0 prints. What the other ranks would print is
/// dropped, except the error of a rank that fails alone, which names the rank.
/// </summary>
internal static class RankConsole
{
    private static readonly StringWriter Kept = new();
    private static TextWriter? errors;

    /// <summary>True if the command line trains as one of several processes.</summary>
    public static bool Applies(string[] args) => MpiJob.LaunchedSize > 1 && args is ["train", ..] or ["bench", "head" or "step", ..];

    /// <summary>Silences every rank but the first.</summary>
    public static void Begin()
    {
        if (MpiJob.LaunchedRank > 0)
        {
            errors = Console.Error;
            Console.SetOut(TextWriter.Null);
            Console.SetError(Kept);
        }
    }

    /// <summary>Reports the failure of a rank, and ends MPI: regularly, or for all ranks if this one has failed alone.</summary>
    public static void End(int exitCode)
    {
        if (exitCode != 0 && !MpiJob.EndsTogether)
        {
            try
            {
                Report(MpiJob.Current, exitCode);
            }
            catch (UniFaceException)
            {
                // There is no MPI library, and every rank has said so.
            }
        }

        MpiJob.Close(exitCode);
    }

    private static void Report(ICommunicator communicator, int exitCode)
    {
        const string Prefix = "error: ";
        string rank = $"rank {communicator.Rank}: ";
        string text = Kept.ToString().Split('\n').LastOrDefault(line => line.StartsWith(Prefix, StringComparison.Ordinal))?[Prefix.Length..].Trim()
            ?? $"ended with exit code {exitCode}";
        if (communicator.Counters.IsEmpty)
        {
            // Failed before the ranks have said that they are ready, as the others may have: then rank 0 speaks for all.
            Agreement.Settle(communicator, text);
        }
        else if (errors is not null)
        {
            errors.WriteLine(Prefix + (text.StartsWith(rank, StringComparison.Ordinal) ? "" : rank) + text);
            errors.Flush();
        }
    }
}
