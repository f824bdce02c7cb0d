using System.Net;
using Microsoft.Extensions.DependencyInjection;
using UniFace.AspNetCore.Hosting;
using UniFace.AspNetCore.Recognition;
using UniFace.Gallery;
using UniFace.Gallery.Sqlite;
using UniFace.TestSupport;
using UniFace.Vision;

namespace UniFace.AspNetCore.Tests.Recognition;

/// <summary>
/// A service whose gallery another process moves to another model ('uniface gallery reembed') reports it, in its health too, and returns no data of the other
/// model; restarted with that model, it serves the same people.
/// </summary>
public sealed class MovedGalleryTests
{
    [Fact]
    public async Task A_moved_gallery_returns_503_and_is_served_again_after_a_restart()
    {
        string other = Directory.CreateTempSubdirectory("uniface-other-").FullName, path = "";
        await using RunningServer server = await RunningServer.StartAsync(o =>
        {
            Directory.CreateDirectory(o.DataFolder);
            using FaceRecognizer model = FaceRecognizer.Open(o.Package);
            path = Path.Combine(o.DataFolder, $"people-{model.ContractId[..8]}.gallery");
            GalleryInfo info = new() { Id = "", ContractId = model.ContractId, EmbeddingSize = model.Embedder.EmbeddingSize, KeepsCrops = true };
            SqliteGallery.Create(path, info);
            return o;
        });
        await server.EnrollAsync("Ann", 1);
        await server.GetAsync("/health/ready");
        ServerOptions moved = new()
        {
            Urls = ["http://127.0.0.1:0"],
            DataFolder = Path.Combine(server.Folder, "data"),
            Package = TestPackage.Write(other, seed: 2),
        };
        using (FaceRecognizer model = FaceRecognizer.Open(moved.Package))
        {
            await using SqliteGallery stored = await SqliteGallery.OpenAsync(path);
            float[] Embed(IReadOnlyList<byte[]> crops) => model.Embedder.Embed([.. crops.Select(c => model.Decoder.Decode(c, "crop"))]);
            await stored.ReembedAsync(new GalleryModel(model.ContractId, model.Embedder.EmbeddingSize, other, Embed));
        }

        foreach (HttpResponseMessage answer in new[]
        {
            await server.Client.GetAsync("/health/ready"),
            await server.Client.GetAsync("/health/recognition"),
            await server.PostAsync("/v1/identify", new { photo = RunningServer.Face(1), aligned = true, threshold = 0.5 }),
            await server.PostAsync("/v1/people", new { person = "Bob", photos = new[] { RunningServer.Face(2) }, aligned = true, anyQuality = true }),
            await server.Client.GetAsync("/v1/people/Ann/export"),
            await server.Client.GetAsync("/v1/gallery/export"),
            await server.Client.GetAsync("/v1/gallery"),
        })
        {
            string detail = (await RunningServer.ReadAsync(answer, HttpStatusCode.ServiceUnavailable)).GetProperty("detail").GetString()!;
            Assert.StartsWith("the gallery was moved to another model", detail, StringComparison.Ordinal);
            Assert.DoesNotContain(server.Folder, detail, StringComparison.Ordinal);
        }

        Assert.Equal("live", await server.Client.GetStringAsync("/health/live"));
        await using Microsoft.AspNetCore.Builder.WebApplication again = await UniFaceServer.CreateAsync(moved);
        StoredGallery gallery = UniFaceServer.FindRecognizer(again)!.Gallery;
        Assert.Equal(path, gallery.Path);
        Assert.Equal(1, (await gallery.CountAsync()).People);
        Directory.Delete(other, recursive: true);
    }

    [Fact]
    public async Task A_rekeyed_gallery_returns_503_instead_of_ciphertext_or_missing_people()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await server.EnrollAsync("Ann", 1);
        string path = server.Services.GetRequiredService<RecognizerSlot>().Loaded!.Gallery.Path;
        await using (SqliteGallery gallery = await SqliteGallery.OpenAsync(path))
        {
            await gallery.RekeyAsync(GalleryKey.FromText(new string('a', 64), "key"));
        }

        foreach (HttpResponseMessage answer in new[]
        {
            await server.Client.GetAsync("/health/ready"),
            await server.Client.GetAsync("/v1/people"),
            await server.Client.GetAsync("/v1/people/Ann"),
            await server.Client.DeleteAsync("/v1/people/Ann"),
        })
        {
            await RunningServer.ReadAsync(answer, HttpStatusCode.ServiceUnavailable);
        }
    }
}
