using UniFace.Cli.Models;
using UniFace.Gallery.Postgres;

namespace UniFace.Cli.Gallery;

/// <summary>`uniface gallery create`: creates an empty gallery for a model.</summary>
internal static class GalleryCreateCommand
{
    private const string Description = """
        Create an empty gallery for a model. It is one file, or tables in a PostgreSQL database with pgvector. With a key, templates, faces
        and names in the file are encrypted (AES-256-GCM); a lost key cannot be recovered.
        Example: uniface gallery create people.gallery package --crops
        Example: uniface gallery create people.gallery package --key-file people.key
        Example: uniface gallery create 'postgres://user@host/database?gallery=people' package
        """;

    public static Command Create()
    {
        Argument<string?> package = new("PACKAGE")
        {
            Description = "The model package whose embeddings the gallery holds. Default: the installed default model.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        CliOption<PersonScore> score = new("--score", "A person's score: the score of the best template, or the mean of all.");
        CliOption<bool> crops = new("--crops", "Keep the aligned faces too, so that the gallery can move to another model ('uniface gallery reembed').");
        CliOption<bool> hnsw = new("--hnsw", "On PostgreSQL: search an HNSW graph instead of every template. Much faster with millions, but may miss a match.");
        GalleryOptions gallery = new();
        VisionOptions vision = new();
        IEnumerable<Symbol> parameters = [gallery.Gallery, package, score, crops, hnsw, .. gallery.Keys, .. vision.Model];
        return CliCommand.Create("create", Description, parameters, async (parsed, stop) =>
        {
            string path = parsed.GetRequiredValue(gallery.Gallery);
            GalleryKey? key = gallery.Key(parsed);
            using FaceRecognizer recognizer = vision.Open(parsed, parsed.GetValue(package) ?? DefaultModel.Require(parsed, stop));
            GalleryInfo info = new()
            {
                ContractId = recognizer.ContractId,
                EmbeddingSize = recognizer.Embedder.EmbeddingSize,
                Scoring = parsed.GetValue(score),
                KeepsCrops = parsed.GetValue(crops),
                Package = Path.GetFullPath(recognizer.Package.Source),
                Encrypted = key is not null,
            };
            if (PostgresAddress.IsAddress(path))
            {
                PostgresAddress address = PostgresAddress.Parse(path);
                await PostgresGallery.CreateAsync(address, info, parsed.GetValue(hnsw), stop);
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

            object json = new
            {
                gallery = path,
                info.ContractId,
                info.EmbeddingSize,
                info.Scoring,
                info.KeepsCrops,
                info.Encrypted,
                info.Package,
                recognizer.Manifest.Suitability,
            };
            parsed.Print(json, () =>
            {
                Console.WriteLine(
                    $"{path}: an empty{(key is null ? "" : ", encrypted")} gallery for {recognizer.Package.Source}. " +
                    $"Enroll people: uniface gallery enroll {path} photos");
                VisionOptions.NoteSuitability(recognizer.Manifest);
            });
        });
    }
}
