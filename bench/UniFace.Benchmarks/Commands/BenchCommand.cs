using System.CommandLine;

namespace UniFace.Benchmarks.Commands;

/// <summary>`uniface bench`: measures speed on this machine.</summary>
internal static class BenchCommand
{
    public static Command Create() => new("bench", "Measure speed on this machine.")
    {
        BenchHeadCommand.Create(),
        BenchStepCommand.Create(),
        BenchPlanCommand.Create(),
        BenchDataCommand.Create(),
        BenchStartCommand.Create(),
        BenchSearchCommand.Create(),
        BenchIdentifyCommand.Create(),
        BenchEmbedCommand.Create(),
        BenchEnrollCommand.Create(),
        BenchGalleryCommand.Create(),
        BenchShardsCommand.Create(),
        BenchDetectCommand.Create(),
        BenchLandmarksCommand.Create(),
    };
}
