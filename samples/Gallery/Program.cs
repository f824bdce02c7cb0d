// Enrols the first photo as "Ann" and identifies the second: dotnet run ann.jpg who.jpg
using UniFace.Gallery;
using UniFace.Gallery.Sqlite;
using UniFace.Vision;

using FaceRecognizer recognizer = FaceRecognizer.Open("dlib-resnet");
float[] Embed(string photo) => recognizer.Embedder.Embed([recognizer.Photos.Align(File.ReadAllBytes(photo), photo)!.Image]);

const string file = "people.gallery";
SqliteGallery.Create(file, new GalleryInfo { ContractId = recognizer.ContractId, EmbeddingSize = recognizer.Embedder.EmbeddingSize });
await using SqliteGallery gallery = await SqliteGallery.OpenAsync(file);
await gallery.EnrollAsync([new Enrollment("Ann", Embed(args[0]))], recognizer.ContractId);
GalleryCandidate best = (await gallery.SearchAsync(Embed(args[1]), recognizer.ContractId, people: 1))[0][0];
Console.WriteLine($"{best.Person}: score {best.Score:F4}");
