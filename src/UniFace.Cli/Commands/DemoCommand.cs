using System.CommandLine;
using UniFace.Cli.Demo;

namespace UniFace.Cli.Commands;

/// <summary>uniface demo: the whole main job on invented faces, in a few minutes, with a report to look at.</summary>
internal static class DemoCommand
{
    /// <summary>The folder that the demo writes by default.</summary>
    public const string DefaultFolder = "demo-out";

    public static Command Create()
    {
        Option<string> output = new("--out") { Description = "Folder to write; a folder of an earlier demo is made anew.", DefaultValueFactory = _ => DefaultFolder };
        Option<long> seed = new("--seed") { Description = "Decides the people, their pictures and the training.", DefaultValueFactory = _ => 1 };
        Option<bool> quick = new("--quick") { Description = "Half a minute instead of minutes: fewer people, easier pictures." };
        Command command = new("demo", "Draw faces, train on them, evaluate on people never seen, calibrate, export, enrol ten and recognise one: the whole way, on invented faces, in a few minutes.\nExample: uniface demo --out demo-out --seed 1")
        {
            output, seed, quick,
        };
        command.SetAction((parsed, stop) =>
        {
            bool json = parsed.GetValue(CommonOptions.Json), small = parsed.GetValue(quick);
            DemoFolder folder = DemoFolder.Prepare(parsed.GetValue(output)!);
            DemoPlan plan = small ? DemoPlan.Quick(parsed.GetValue(seed)) : DemoPlan.Full(parsed.GetValue(seed));
            DemoLog log = new(json ? Console.Error : Console.Out, DemoRun.Steps);
            log.Say("The whole way from pictures to an identity. The faces are synthetic, drawn by the demo: nobody's face, no downloads.");
            DemoSummary summary = new DemoRun(plan, folder, log, stop).Run(small);
            Close(log, summary);
            if (json)
            {
                Output.Json(summary);
            }

            return Task.FromResult(summary.Identified && summary.Rejected ? ExitCode.Success : ExitCode.Negative);
        });
        return command;
    }

    private static void Close(DemoLog log, DemoSummary summary)
    {
        log.Say("");
        log.Say(FormattableString.Invariant($"Done in {summary.Seconds:F0} s. Look at {summary.Files["report"]}"));
        if (!summary.Identified)
        {
            log.Say("FAILED: " + DemoGallery.Words(summary.Known));
        }

        if (!summary.Rejected)
        {
            log.Say("FAILED: " + DemoGallery.Words(summary.Unknown));
        }

        log.Say("These numbers are of drawn faces and say nothing about real ones. With your own photos:");
        log.Say("  uniface align PHOTOS FACES                # find and align the faces, a folder a person");
        log.Say("  uniface train FACES --loss uce --out RUN  # train");
        log.Say("  uniface export RUN --out PACKAGE          # the package that an application loads");
        log.Say("  uniface verify PACKAGE A.jpg B.jpg        # one person or two?");
    }
}
