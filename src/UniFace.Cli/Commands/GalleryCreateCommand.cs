using System.CommandLine;
using UniFace.Gallery;
using UniFace.Gallery.Postgres;
using UniFace.Gallery.Sqlite;
using UniFace.Vision;

namespace UniFace.Cli.Commands;

/// <summary>uniface gallery create: an empty gallery of a model.</summary>
internal static class GalleryCreateCommand
{
    public static Command Create()
    {
        Argument<string?> package = new("PACKAGE") { Description = "The model package whose embeddings it will hold; the installed default if left out.", Arity = ArgumentArity.ZeroOrOne };
        Option<PersonScore> score = new("--score") { Description = "What a person's score is: that of the best template, or the mean of all.", HelpName = "best|mean", DefaultValueFactory = _ => PersonScore.Best };
        Option<bool> crops = new("--crops") { Description = "Keep the aligned faces too, so that the gallery can move to another model ('uniface gallery reembed')." };
        Option<bool> hnsw = new("--hnsw") { Description = "On PostgreSQL: search a HNSW graph instead of every template. Much faster among millions, but it may miss somebody." };
        GalleryOptions gallery = new();
        VisionOptions vision = new();
        Command command = new(
            "create",
            "Make an empty gallery bound to a model: one file, or tables in a PostgreSQL database with pgvector. With a key, a file's templates, faces and names are encrypted (AES-256-GCM); a lost key cannot be replaced." +
            "\nExample: uniface gallery create people.gallery package --crops\nExample: uniface gallery create people.gallery package --key-file people.key" +
            "\nExample: uniface gallery create 'postgres://user@host/database?gallery=people' package");
        command.Add(gallery.Gallery);
        command.Add(package);
        command.Add(score);
        command.Add(crops);
        command.Add(hnsw);
        gallery.AddKeyTo(command);
        vision.AddModel(command);
        command.SetAction(async (parsed, stop) =>
        {
            string path = parsed.GetRequiredValue(gallery.Gallery);
            GalleryKey? key = gallery.Key(parsed);
            using FaceRecognizer recognizer = vision.Open(parsed, parsed.GetValue(package));
            GalleryInfo info = new()
            {
                Id = "",
                ContractId = recognizer.ContractId,
                EmbeddingSize = recognizer.Embedder.EmbeddingSize,
                Scoring = parsed.GetValue(score),
                KeepsCrops = parsed.GetValue(crops),
                Package = Path.GetFullPath(recognizer.Package.Source),
            };
            if (PostgresAddress.Is(path))
            {
                PostgresAddress address = PostgresAddress.Parse(path);
                await PostgresGallery.CreateAsync(address, info with { Encrypted = key is not null }, parsed.GetValue(hnsw), stop).ConfigureAwait(false);
                path = address.ToString();
            }
            else if (parsed.GetValue(hnsw))
            {
                throw new UniFaceException("--hnsw is for galleries on PostgreSQL; a gallery file is searched exactly.");
            }
            else
            {
                SqliteGallery.Create(path, info, key);
            }

            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new { gallery = path, contractId = info.ContractId, embeddingSize = info.EmbeddingSize, scoring = info.Scoring, keepsCrops = info.KeepsCrops, encrypted = key is not null, package = info.Package });
            }
            else
            {
                Console.WriteLine($"{path}: an empty gallery of {recognizer.Package.Source}{(key is null ? "" : ", encrypted")}. Enrol people: uniface gallery enroll {path} photos");
            }

            return ExitCode.Success;
        });
        return command;
    }
}
