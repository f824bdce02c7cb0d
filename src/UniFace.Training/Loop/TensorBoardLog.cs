namespace UniFace.Training.Loop;

/// <summary>Writes metrics as TensorBoard event files.</summary>
internal sealed class TensorBoardLog : IDisposable
{
    private readonly SummaryWriter writer;

    public TensorBoardLog(string folder)
    {
        Directory.CreateDirectory(folder);
        writer = torch.utils.tensorboard.SummaryWriter(folder, createRunName: false);
    }

    public void Write(StepMetrics row)
    {
        int step = (int)Math.Min(row.Step, int.MaxValue);
        writer.add_scalar("train/loss", (float)row.Loss, step);
        writer.add_scalar("train/lr", (float)row.Lr, step);
        writer.add_scalar("train/gradient norm", (float)row.GradNorm, step);
        writer.add_scalar("train/images a second", (float)row.ImagesPerSecond, step);
        writer.add_scalar("cosine/target", (float)row.TargetCosine, step);
        writer.add_scalar("cosine/hardest negative", (float)row.HardestNegativeCosine, step);
        if (row.Threshold is double threshold)
        {
            writer.add_scalar("cosine/threshold", (float)threshold, step);
        }
    }

    public void Write(EpochMetrics row)
    {
        int step = (int)Math.Min(row.Step, int.MaxValue);
        writer.add_scalar("epoch/loss", (float)row.Loss, step);
        if (row.Validation is ValidationMetrics validation)
        {
            writer.add_scalar("validation/TAR", (float)validation.TarAtFar, step);
            writer.add_scalar("validation/AUC", (float)validation.Auc, step);
            writer.add_scalar("validation/EER", (float)validation.Eer, step);
        }
    }

    public void Dispose() => (writer as IDisposable)?.Dispose();
}
