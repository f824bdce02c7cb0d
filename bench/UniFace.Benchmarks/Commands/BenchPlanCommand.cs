using System.CommandLine;
using UniFace.Benchmarks.Planning;
using UniFace.CommandLine.Terminal;
using UniFace.Training.Backbones;
using UniFace.Training.Losses;

namespace UniFace.Benchmarks.Commands;

/// <summary>`uniface bench plan`: predicted time and memory of training steps on clusters.</summary>
internal static class BenchPlanCommand
{
    private const string Description = """
        Predict time, memory and traffic of a training step per rank, for numbers of ranks and people, from the constants of a machine. Nothing is measured.
        docs/distributed.md has the formulas, the sources of the constants, and how far they agree with measurements.
        Example: uniface bench plan --ranks 8,64,512 --classes 1000000,10000000,100000000 --loss uce,arcface --device a100 --json
        """;

    public static Command Create()
    {
        CliOption<string> ranks = new("--ranks", "Numbers of processes, separated by commas.", "N,...") { Default = "8,64,512" };
        CliOption<string> classes = new("--classes", "Numbers of people, separated by commas.", "C,...") { Default = "1000000,10000000,100000000" };
        CliOption<string> losses = new("--loss", "Losses, separated by commas, with or without hyperparameters: arcface(margin=0.4).", "NAME,...")
        {
            Default = "uce,arcface",
        };
        CliOption<string> device = new("--device", "The machine of each rank.") { Default = "a100" };
        device.AcceptNames(PlanMachine.All.Select(machine => machine.Name));
        CliOption<string> backbone = new("--backbone", "Network.") { Default = "iresnet50" };
        backbone.AcceptNames(BackboneCost.Names);
        CliOption<int> batch = new("--batch", "Images per batch and process.") { Default = 64, Range = (1, 65536) };
        CliOption<double> rate = new("--sample-rate", "Share of the people that a step uses.") { Default = 1, Range = (1e-6, 1) };
        CliOption<string> memory = new("--send-from", "Memory that the MPI library sends from. host: as today, with copies from and to devices.")
        {
            Default = "host",
        };
        memory.AcceptNames(["host", "device"]);
        return CliCommand.Create("plan", Description, [ranks, classes, losses, device, backbone, batch, rate, memory], (parsed, _) =>
        {
            PlanMachine machine = PlanMachine.Find(parsed.GetRequiredValue(device));
            BackboneCost cost = BackboneCost.Create(new BackboneSpec(parsed.GetRequiredValue(backbone), 1));
            long[] counts = NumberList.Parse(classes.Name, parsed.GetRequiredValue(classes), 3, 10_000_000_000, "1000000,10000000");
            int[] sizes = NumberList.Parse(ranks.Name, parsed.GetRequiredValue(ranks), 1, 1 << 20, "8,64,512");
            (Loss Loss, StepCase Case, StepPlan Plan)[] plans =
            [
                .. from loss in LossList.Split(parsed.GetRequiredValue(losses)).Select(Loss.Parse)
                   let exchange = LossExchange.Create(loss)
                   from size in sizes
                   from count in counts
                   let step = new StepCase(
                       machine, size, count, parsed.GetValue(batch), exchange, cost, SampleRate: parsed.GetValue(rate),
                       FromHost: parsed.GetRequiredValue(memory) == "host")
                   select (loss, step, new StepPlan(step)),
            ];
            object json = plans.Select(p => new
            {
                device = machine.Name,
                backbone = cost.Name,
                loss = p.Loss.Name,
                p.Case.Ranks,
                p.Case.Classes,
                p.Case.Batch,
                globalBatch = p.Case.TotalBatch,
                p.Case.SampleRate,
                sendFrom = parsed.GetRequiredValue(memory),
                stepMs = p.Plan.Step * 1e3,
                forwardMs = p.Plan.Forward * 1e3,
                headMs = p.Plan.Head * 1e3,
                exchangeMs = p.Plan.Exchange * 1e3,
                backwardMs = p.Plan.Backward * 1e3,
                reduceMs = p.Plan.Reduce * 1e3,
                optimizerMs = p.Plan.Optimizer * 1e3,
                imagesPerSecond = p.Case.TotalBatch / p.Plan.Step,
                p.Plan.HeadCalls,
                p.Plan.HeadBytes,
                p.Plan.BackboneCalls,
                p.Plan.BackboneBytes,
                centersGb = p.Plan.CenterBytes / 1e9,
                memoryGb = p.Plan.MemoryBytes / 1e9,
                p.Plan.Fits,
            });
            parsed.Print(
                json,
                [
                    "loss", "ranks", "people", "step, ms", "backbone", "head", "exchange", "sums", "images/s", "head calls", "head, MB", "centers, GB",
                    "memory, GB",
                ],
                [.. plans.Select(p => Row(p.Loss, p.Case, p.Plan))]);
        });
    }

    private static string[] Row(Loss loss, StepCase step, StepPlan plan) =>
    [
        loss.Name, $"{step.Ranks}", $"{step.Classes:N0}", Ms(plan.Step), Ms(plan.Forward + plan.Backward + plan.Optimizer), Ms(plan.Head),
        Ms(plan.Exchange), Ms(plan.Reduce), $"{step.TotalBatch / plan.Step:N0}", $"{plan.HeadCalls}", $"{plan.HeadBytes / 1e6:F1}",
        $"{plan.CenterBytes / 1e9:F1}", $"{plan.MemoryBytes / 1e9:F1}" + (plan.Fits ? "" : " (too much)"),
    ];

    private static string Ms(double seconds) => $"{seconds * 1e3:F1}";
}
