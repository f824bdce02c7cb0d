using System.Text.Json;
using UniFace.Packages;
using UniFace.Training.Runs;

namespace UniFace.Cli.Tests.Models;

/// <summary>A package's thresholds come from people that its run was not trained on.</summary>
public sealed class RunCalibrationTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-calibration-").FullName;

    [Fact]
    public void Package_is_calibrated_on_the_people_that_its_run_held_out()
    {
        CliProcess.RunIn(folder, "data", "make", "faces", "--people", "20", "--images", "6").Expect(0);
        CliProcess.RunIn(folder, "train", "faces", "--width", "0.25", "--embedding-size", "32", "--epochs", "1", "--batch", "16", "--out", "run").Expect(0);
        RunInfo run = RunFolder.ReadInfo(Path.Combine(folder, "run"));
        Assert.Equal(2, run.HeldOut.Count);
        Assert.Equal(18, run.People);

        CliProcess.RunIn(folder, "export", "run", "--out", "package").Expect(0);
        string package = Path.Combine(folder, "package");
        Calibration calibration = Calibration.Load(Path.Combine(package, Calibration.FileName));
        Assert.Equal(2, calibration.Data.People);
        Assert.Equal(12, calibration.Data.Images);
        Assert.Equal(2 * 15, calibration.Data.SamePairs);
        Assert.Equal(6 * 6, calibration.Data.DifferentPairs);
        Assert.Equal(ModelPackage.Open(package).Manifest!.ContractId, calibration.ContractId);

        // 36 non-mated pairs do not support a rate of 1 in 1,000, and verify must say so.
        string photo = Path.Combine("faces", run.HeldOut[0]);
        string[] photos = [.. Directory.GetFiles(Path.Combine(folder, photo)).Order(StringComparer.Ordinal)];
        Assert.Contains(
            "0.001", CliProcess.RunIn(folder, "verify", "package", photos[0], photos[1], "--aligned", "--fmr", "0.001").Expect(2).Error,
            StringComparison.Ordinal);

        // After one epoch the threshold is nearly 1, so whether a photo matches itself depends on rounding.
        JsonElement decision = CliProcess.RunIn(folder, "verify", "package", photos[0], photos[0], "--aligned", "--fmr", "0.1", "--json").Json();
        double score = decision.GetProperty("score").GetDouble(), threshold = decision.GetProperty("threshold").GetDouble();
        Assert.Equal(1, score, 1e-5);
        Assert.Equal(calibration.ThresholdAt(0.1), threshold);
        Assert.Equal(score >= threshold, decision.GetProperty("same").GetBoolean());
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
