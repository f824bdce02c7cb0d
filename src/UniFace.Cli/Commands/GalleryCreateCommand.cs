using System.CommandLine;
using UniFace.Gallery;
using UniFace.Gallery.Sqlite;
using UniFace.Packages;
using UniFace.Vision.Onnx;

namespace UniFace.Cli.Commands;

/// <summary>uniface gallery create: an empty gallery of a model.</summary>
internal static class GalleryCreateCommand
{
    public static Command Create()
    {
        Argument<string?> package = new("PACKAGE") { Description = "The model package whose embeddings it will hold; the installed default if left out.", Arity = ArgumentArity.ZeroOrOne };
        Option<PersonScore> score = new("--score") { Description = "What a person's score is: that of the best template, or the mean of all.", HelpName = "best|mean", DefaultValueFactory = _ => PersonScore.Best };
        Option<bool> crops = new("--crops") { Description = "Keep the aligned faces too, so that the gallery can move to another model ('uniface gallery reembed')." };
        GalleryOptions gallery = new();
        VisionOptions vision = new();
        Command command = new(
            "create",
            "Make an empty gallery, one file, bound to a model. With a key, templates, faces and names are encrypted (AES-256-GCM); a lost key cannot be replaced." +
            "\nExample: uniface gallery create people.gallery package --crops\nExample: uniface gallery create people.gallery package --key-file people.key");
        command.Add(gallery.Gallery);
        command.Add(package);
        command.Add(score);
        command.Add(crops);
        gallery.AddKeyTo(command);
        vision.AddModel(command);
        command.SetAction(parsed =>
        {
            string path = parsed.GetRequiredValue(gallery.Gallery);
            GalleryKey? key = gallery.Key(parsed);
            ModelPackage opened = parsed.GetValue(package) is string given ? ModelPackage.Open(given) : InstalledModels.OpenDefault();
            using OnnxEmbedder embedder = vision.OpenEmbedder(parsed, opened);
            GalleryInfo info = new()
            {
                Id = "",
                ContractId = embedder.Manifest.ContractId,
                EmbeddingSize = embedder.EmbeddingSize,
                Scoring = parsed.GetValue(score),
                KeepsCrops = parsed.GetValue(crops),
                Package = GalleryOptions.PathOf(opened),
            };
            SqliteGallery.Create(path, info, key);
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new { gallery = path, contractId = info.ContractId, embeddingSize = info.EmbeddingSize, scoring = info.Scoring, keepsCrops = info.KeepsCrops, encrypted = key is not null, package = info.Package });
            }
            else
            {
                Console.WriteLine($"{path}: an empty gallery of {opened.Source}{(key is null ? "" : ", encrypted")}. Enrol people: uniface gallery enroll {path} photos");
            }

            return ExitCode.Success;
        });
        return command;
    }
}
