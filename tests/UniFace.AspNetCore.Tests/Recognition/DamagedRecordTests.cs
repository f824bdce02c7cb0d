using System.Net;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using UniFace.AspNetCore.Recognition;
using UniFace.Gallery;

namespace UniFace.AspNetCore.Tests.Recognition;

/// <summary>A damaged record of the gallery is an error of the service, not of the request, and the response has no details of the store.</summary>
public sealed class DamagedRecordTests
{
    [Theory]
    [InlineData(false, "embedding")]
    [InlineData(true, "source")]
    public async Task A_damaged_record_returns_500(bool encrypted, string column)
    {
        await using RunningServer server = await RunningServer.StartAsync(o => o with
        {
            GalleryKey = encrypted ? GalleryKey.FromText(new string('a', 64), "test") : null,
        });
        await server.EnrollAsync("Ann", 1);
        string path = server.Services.GetRequiredService<RecognizerSlot>().Loaded!.Gallery.Path;
        using (SqliteConnection connection = new($"Data Source={path};Pooling=False"))
        {
            connection.Open();
            using SqliteCommand command = new($"UPDATE template SET {column} = randomblob(length({column}))", connection);
            Assert.Equal(1, command.ExecuteNonQuery());
        }

        using HttpResponseMessage answer = await server.Client.GetAsync("/v1/people/Ann");
        string detail = (await RunningServer.ReadAsync(answer, HttpStatusCode.InternalServerError)).GetProperty("detail").GetString()!;
        Assert.StartsWith("the stored data is damaged", detail, StringComparison.Ordinal);
        Assert.DoesNotContain(server.Folder, detail, StringComparison.Ordinal);
    }
}
