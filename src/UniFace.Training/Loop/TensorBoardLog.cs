namespace UniFace.Training.Loop;

/// <summary>Writes metrics as TensorBoard event files.</summary>
/// <param name="folder">The folder of the files; created if it does not exist.</param>
internal sealed class TensorBoardLog(string folder) : IDisposable
{
    private readonly SummaryWriter writer = utils.tensorboard.SummaryWriter(Directory.CreateDirectory(folder).FullName, createRunName: false);

    public void Write(StepMetrics row)
    {
        Add("train/loss", row.Loss, row.Step);
        Add("train/lr", row.Lr, row.Step);
        Add("train/gradient norm", row.GradNorm, row.Step);
        Add("train/images a second", row.ImagesPerSecond, row.Step);
        Add("cosine/target", row.TargetCosine, row.Step);
        Add("cosine/hardest negative", row.HardestNegativeCosine, row.Step);
        Add("cosine/threshold", row.Threshold, row.Step);
    }

    public void Write(EpochMetrics row)
    {
        Add("epoch/loss", row.Loss, row.Step);
        Add("validation/TAR", row.Validation?.TarAtFar, row.Step);
        Add("validation/AUC", row.Validation?.Auc, row.Step);
        Add("validation/EER", row.Validation?.Eer, row.Step);
    }

    public void Dispose() => (writer as IDisposable)?.Dispose();

    private void Add(string name, double? value, long step)
    {
        if (value is double known)
        {
            writer.add_scalar(name, (float)known, (int)Math.Min(step, int.MaxValue));
        }
    }
}
