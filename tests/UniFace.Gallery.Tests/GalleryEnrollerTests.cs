using UniFace.Gallery.Sqlite;

namespace UniFace.Gallery.Tests;

/// <summary>A batch enrollment stores each photo once, counts new and known photos, and reports two people with one face once.</summary>
public sealed class GalleryEnrollerTests : IDisposable
{
    private static readonly float[] Face = [1, 0];
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Photos_are_stored_once_and_a_face_under_two_names_is_reported_once()
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        string path = Path.Combine(folder, "people.gallery");
        SqliteGallery.Create(path, new GalleryInfo { ContractId = "model", EmbeddingSize = Face.Length });
        await using SqliteGallery gallery = await SqliteGallery.OpenAsync(path, cancellationToken: stop);
        GalleryEnroller enroller = new(gallery, "model", new LookAlikeRule(0.9, 1e-3));
        Assert.False(await enroller.IsEnrolledAsync("Ann", Hash('a'), stop));
        Assert.False(await enroller.IsEnrolledAsync("Bob", Hash('b'), stop));
        await enroller.EnrollAsync([Photo("Ann", 'a')], stop);
        await enroller.EnrollAsync([Photo("Bob", 'b'), Photo("Bob", 'c'), Photo("Bob", 'b')], stop);
        Assert.Equal((3, 1, 2), (enroller.Enrolled, enroller.AlreadyEnrolled, enroller.People));
        LookAlike found = Assert.Single(enroller.LookAlikes);
        Assert.Equal(("b.jpg", "Bob", "Ann"), (found.Photo, found.Person, found.Other.Person));

        GalleryEnroller again = new(gallery, "model", null);
        Assert.True(await again.IsEnrolledAsync("Ann", Hash('a'), stop));
        Assert.False(await again.IsEnrolledAsync("Ann", Hash('b'), stop));
        await again.EnrollAsync([], stop);
        Assert.Equal((0, 1, 0), (again.Enrolled, again.AlreadyEnrolled, again.People));
        Assert.Empty(again.LookAlikes);
    }

    private static Enrollment Photo(string person, char photo) => new(person, Face, default, $"{photo}.jpg", Hash(photo));

    private static string Hash(char photo) => new(photo, 64);
}
