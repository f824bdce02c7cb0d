// Trains on a folder of aligned faces, one folder per person, and writes a package: dotnet run ALIGNED PACKAGE
using UniFace.Training;
using UniFace.Training.Backbones;
using UniFace.Training.Losses;
using UniFace.Training.Runs;

TrainOptions options = new()
{
    Data = args[0],
    Loss = new UnifiedCrossEntropy(),
    Backbone = new BackboneSpec("mobilefacenet", Width: 0.25, EmbeddingSize: 64),
    Epochs = 1,
};
using Trainer trainer = Trainer.Create("run", options);
Console.WriteLine(trainer.Run().Export(args[1]).Folder);
