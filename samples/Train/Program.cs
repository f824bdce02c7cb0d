// Trains on a folder of aligned faces, one folder per person, and writes a package: dotnet run ALIGNED PACKAGE
using UniFace.Training;
using UniFace.Training.Backbones;
using UniFace.Training.Losses;
using UniFace.Training.Runs;

Loss loss = new UnifiedCrossEntropy { Margin = 0.4 };
TrainOptions options = new() { Data = args[0], Loss = loss, Backbone = new BackboneSpec("mobilefacenet", Width: 0.25), Epochs = 1 };
using Trainer trainer = Trainer.Create("run", options);
trainer.Run().Export(args[1]);
