// Trains on a folder of aligned faces, one folder per person, and writes a package: dotnet run ALIGNED PACKAGE
using UniFace.Training;
using UniFace.Training.Backbones;
using UniFace.Training.Losses;
using UniFace.Training.Runs;

TrainOptions options = new()
{
    Data = args[0],
    Loss = new UnifiedCrossEntropy { Margin = 0.4 },
    Backbone = new BackboneSpec("mobilefacenet", Width: 0.25, EmbeddingSize: 64),
    Epochs = 1,
};
TrainingRun run = Trainer.Create("run", options).Run();
Console.WriteLine(run.Export(args[1]).Source);
