#include "serve/api.h"

#include <set>

#include "serve/served.h"

namespace limn {
namespace {

TEST(Api, TellsNobodyAnythingWithoutTheToken) {
  Served served;
  for (const Route& route : routes()) {
    std::string path(route.path);
    for (size_t at = path.find('{'); at != std::string::npos; at = path.find('{')) {
      path.replace(at, path.find('}') - at + 1, "x");
    }
    Request request = Served::request(std::string(route.method), path);
    std::erase_if(request.fields, [](const auto& field) { return field.first == "authorization"; });
    EXPECT_EQ(served.answer(request).status == 401, !route.open) << path;
  }
  Request unknown = Served::request("GET", "/unknown");
  unknown.fields.pop_back();
  EXPECT_EQ(served.answer(unknown).status, 401);
}

TEST(Api, KnowsItsAddressesAndMethods) {
  Served served;
  EXPECT_EQ(served.get("/unknown").status, 404);
  const Reply wrong = served.answer(Served::request("PUT", "/api/v1/jobs"));
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.fields.at(0),
            (std::pair<std::string, std::string>("Allow", "POST, GET, HEAD, OPTIONS")));
  const Reply options = served.answer(Served::request("OPTIONS", "/healthz"));
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.fields.at(0).second, "GET, HEAD, OPTIONS");
  EXPECT_EQ(served.answer(Served::request("HEAD", "/api/v1/jobs")).status, 200);
}

TEST(Api, SetsTheCookieForWhoeverHasTheLink) {
  Served served;
  Request request = Served::request("GET", std::string("/?token=") + kTestToken);
  request.fields.pop_back();
  const Reply reply = served.answer(request);
  EXPECT_EQ(reply.status, 303);
  EXPECT_EQ(reply.fields.at(0).second, "/");
  Request wrong = Served::request("GET", "/?token=0123");
  EXPECT_EQ(served.answer(wrong).status, 401);
}

TEST(Api, ServesThePageAndItsFiles) {
  Served served;
  const Reply page = served.get("/");
  EXPECT_EQ(page.type, "text/html; charset=utf-8");
  EXPECT_NE(page.body.find("/page/page.js"), std::string::npos);

  Request script = Served::request("GET", "/page/page.js");
  const Reply first = served.answer(script);
  EXPECT_EQ(first.type, "text/javascript; charset=utf-8");
  script.fields.emplace_back("if-none-match", first.fields.at(0).second);
  EXPECT_EQ(served.answer(script).status, 304);

  Request packed = Served::request("GET", "/page/page.js");
  packed.fields.emplace_back("accept-encoding", "gzip, br");
  const Reply second = served.answer(packed);
  EXPECT_LT(second.body.size(), first.body.size() / 2);
  EXPECT_EQ(second.fields.back().first, "Content-Encoding");
  EXPECT_EQ(second.body.substr(0, 2), "\x1f\x8b");
  EXPECT_NE(second.fields.at(0).second, first.fields.at(0).second);  // another tag

  for (const char* other : {"/page/nothing.js", "/page/page.js/", "/page/"}) {
    EXPECT_EQ(served.get(other).status, 404) << other;
  }
}

TEST(Api, ShowsHowToGetInToWhoeverHasNoToken) {
  Served served;
  Request request = Served::request("GET", "/");
  request.fields.pop_back();
  const Reply reply = served.answer(request);
  EXPECT_EQ(reply.status, 401);
  EXPECT_EQ(reply.type, "text/html; charset=utf-8");
  EXPECT_NE(reply.body.find("?token="), std::string::npos);
  request.target = parse_target("/page/style.css");  // its style needs none
  EXPECT_EQ(served.answer(request).type, "text/css; charset=utf-8");
}

TEST(Api, KeepsAJob) {
  Served served;
  const Job job = served.submitted();
  EXPECT_EQ(job.request.inputs.size(), 2U);
  const Json listed = Json::parse(served.get("/api/v1/jobs?state=waiting").body);
  EXPECT_EQ(listed["jobs"].size(), 1U);
  EXPECT_EQ(listed["revision"], job.revision);
  const Json one = Json::parse(served.get("/api/v1/jobs/" + job.id).body);
  EXPECT_EQ(one["state"], "waiting");
  EXPECT_EQ(one["settings"]["name"], "limn");
  EXPECT_EQ(served.get("/api/v1/jobs/" + std::string(32, '0')).status, 404);
  EXPECT_EQ(served.get("/api/v1/jobs/x").status, 404);
  EXPECT_EQ(served.get("/api/v1/jobs/" + job.id + "/result").status, 409);
  EXPECT_EQ(served.get("/api/v1/jobs/" + job.id + "/preview").status, 404);
  EXPECT_EQ(served.get("/api/v1/jobs/" + job.id + "/inputs/1").file->bytes, 10U);
  for (const char* number : {"2", "-1", "01x", "99999999999"}) {
    EXPECT_EQ(served.get("/api/v1/jobs/" + job.id + "/inputs/" + number).status, 404) << number;
  }
}

TEST(Api, RefusesWhatCannotBePainted) {
  Served served;
  const std::string upload = served.upload("a picture");
  const auto status = [&](std::string json, const std::string& pointer) {
    for (size_t at = json.find("UP"); at != std::string::npos; at = json.find("UP")) {
      json.replace(at, 2, upload);
    }
    const Reply reply = served.post("/api/v1/jobs", json);
    if (reply.status == 422) {
      EXPECT_EQ(Json::parse(reply.body).value("pointer", ""), pointer) << json;
    }
    return reply.status;
  };
  EXPECT_EQ(status(R"({"photo": "UP", "painting": ["UP", "UP"]})", ""), 201);
  EXPECT_EQ(status(R"({"kind": "texture", "exemplar": "UP", "flags": {"size": "64x32"}})", ""),
            201);
  EXPECT_EQ(status(R"({"kind": "inpaint", "photo": "UP", "hole": "UP"})", ""), 201);
  EXPECT_EQ(status(R"({"kind": "season", "photo": "UP", "example": "UP"})", ""), 201);
  EXPECT_EQ(status(R"({"kind": "sweep", "photo": "UP", "painting": "UP",
                       "flags": {"vary": "strength=0.2,0.8"}})",
                   ""),
            201);
  EXPECT_EQ(
      status(R"({"photo": "UP", "painting": ["UP", "UP"], "mask-content": ["none", "UP"]})", ""),
      201);
  EXPECT_EQ(status("{", ""), 400);
  EXPECT_EQ(status(R"({"photo": "UP"})", "/painting"), 422);
  EXPECT_EQ(status(R"({"photo": ["UP", "UP"], "painting": "UP"})", "/photo"), 422);
  EXPECT_EQ(status(R"({"photo": "/etc/passwd", "painting": "UP"})", "/photo"), 422);
  EXPECT_EQ(status(R"({"photo": "none", "painting": "UP"})", "/photo"), 422);
  EXPECT_EQ(status(R"({"photo": ")" + std::string(64, '0') + R"(", "painting": "UP"})", "/photo"),
            422);
  EXPECT_EQ(
      status(R"({"photo": "UP", "painting": "UP", "mask-style": ["UP", "UP"]})", "/mask-style"),
      422);
  EXPECT_EQ(status(R"({"photo": "UP", "painting": "UP", "hole": "UP"})", "/hole"), 422);
  EXPECT_EQ(status(R"({"photo": "UP", "pianting": "UP"})", "/pianting"), 422);
  EXPECT_EQ(status(R"({"kind": "video", "photo": "UP", "painting": "UP"})", "/kind"), 422);
  EXPECT_EQ(status(R"({"recipe": "lim", "photo": "UP", "painting": "UP"})", "/recipe"), 422);
  EXPECT_EQ(status(R"({"recipe": "/etc/passwd", "photo": "UP", "painting": "UP"})", "/recipe"),
            422);
  EXPECT_EQ(
      status(
          R"({"photo": "UP", "painting": "UP", "settings": {"picture": {"init": "/etc/passwd"}}})",
          "/settings/picture/init"),
      422);
  EXPECT_EQ(
      status(R"({"photo": "UP", "painting": "UP", "settings": {"output": {"save_every": 1}}})",
             "/settings/output/save_every"),
      422);
  EXPECT_EQ(
      status(R"({"photo": "UP", "painting": "UP", "settings": {"network": {"name": "../x"}}})",
             "/settings/network/name"),
      422);
  EXPECT_EQ(
      status(R"({"photo": "UP", "painting": "UP", "flags": {"weights": "x"}})", "/flags/weights"),
      422);
  EXPECT_EQ(status(R"({"photo": "UP", "painting": "UP", "flags": {"bits": 9}})", "/flags/bits"),
            422);
  EXPECT_EQ(status(R"({"kind": "sweep", "photo": "UP", "painting": "UP"})", "/flags/vary"), 422);
  EXPECT_EQ(
      status(
          R"({"kind": "sweep", "photo": "UP", "painting": "UP", "flags": {"vary": "init=a.png,b.png"}})",
          "/flags/vary/picture/init"),
      422);
  EXPECT_EQ(
      status(R"({"kind": "texture", "exemplar": "UP", "flags": {"size": "0"}})", "/flags/size"),
      422);
}

TEST(Api, MakesOneJobUnderAKey) {
  Served served;
  const std::string upload = served.upload("a picture");
  Request request = Served::request("POST", "/api/v1/jobs");
  request.fields.emplace_back("idempotency-key", "k");
  request.text = R"({"photo": ")" + upload + R"(", "painting": ")" + upload + "\"}";
  const Reply first = served.answer(request), second = served.answer(request);
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(second.status, 201);
  EXPECT_EQ(first.body, second.body);
  request.text.insert(1, R"("preview": true, )");
  EXPECT_EQ(served.answer(request).status, 422);
  EXPECT_EQ(served.queue.list({}).size(), 1U);
}

TEST(Api, KnowsTheSameRequestInAnotherOrder) {
  Served served;
  const std::string a = served.upload("a"), b = served.upload("b"), c = served.upload("c");
  Request request = Served::request("POST", "/api/v1/jobs");
  request.fields.emplace_back("idempotency-key", "k");
  const auto submit = [&](const std::string& text) {
    request.text = text;
    return served.answer(request).status;
  };
  const std::string photo = R"("photo": ")" + a + "\"", sweep = R"(, "kind": "sweep")";
  const std::string paintings = R"("painting": [")" + b + R"(", ")" + c + "\"]";
  const std::string swapped = R"("painting": [")" + c + R"(", ")" + b + "\"]";
  const std::string flags = R"(, "flags": {"bits": 8, "vary": "strength=0.2,0.8"})";
  EXPECT_EQ(submit("{" + photo + ", " + paintings + flags + sweep + "}"), 201);
  EXPECT_EQ(submit("{" + paintings + ", " + photo + flags + sweep + "}"), 201);
  EXPECT_EQ(submit("{" + swapped + ", " + photo + flags + sweep + "}"), 422);
  request.text.clear();
  request.form = {{"painting", b},
                  {"kind", "sweep"},
                  {"flags", R"({"vary": "strength=0.2,0.8", "bits": "8"})"},
                  {"painting", c},
                  {"photo", a}};
  EXPECT_EQ(served.answer(request).status, 201);
}

TEST(Api, ListsPagesFarFromTheFirst) {
  Served served;
  for (int i = 0; i < 7; ++i) served.submitted();
  std::vector<std::string> ids;
  for (Json next = 0; !next.is_null();) {
    const Json page = Json::parse(served.get("/api/v1/jobs?limit=3&offset=" + next.dump()).body);
    for (const Json& job : page["jobs"]) ids.push_back(job["id"]);
    next = page["next"];
  }
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 7U);
  EXPECT_EQ(ids.size(), 7U);
  EXPECT_EQ(served.get("/api/v1/jobs?offset=100001").status, 200);
  // Whatever it costs, nothing quick waits for it.
  const auto effort = [&](const std::string& target) {
    const Request request = Served::request("GET", target);
    return Api::effort_of(served.api.admit(request), request);
  };
  EXPECT_EQ(effort("/api/v1/jobs?offset=1"), Api::Effort::heavy);
  // And what needs neither store nor disk waits for neither.
  for (const char* target : {"/healthz", "/", "/api/v1/openapi.yaml"}) {
    EXPECT_EQ(effort(target), Api::Effort::none) << target;
  }
}

TEST(Api, SaysWhetherAQuotaOrAPictureIsMissing) {
  Served served;
  const std::string upload = served.upload("a picture");
  Api strict(served.queue, served.access, served.metrics,
             {.limits = {}, .quotas = {.waiting = 1}, .converter = {}, .metrics = {}});
  Request request = Served::request("POST", "/api/v1/jobs");
  request.text = R"({"photo": ")" + upload + R"(", "painting": ")" + upload + "\"}";
  EXPECT_EQ(strict.answer(strict.admit(request), request).status, 201);
  EXPECT_EQ(problem_of([&] { strict.answer(strict.admit(request), request); }), 429);
}

TEST(Api, TakesAFormAsItTakesJson) {
  Served served;
  Request request = Served::request("POST", "/api/v1/jobs");
  request.form = {{"kind", "paint"},
                  {"settings", R"({"picture": {"size": 32}})"},
                  {"painting", served.upload("b")},
                  {"client", "me"},
                  {"preview", "true"}};
  request.files = {{"photo", "cat.jpg", served.upload("a")}};
  const Reply reply = served.answer(request);
  ASSERT_EQ(reply.status, 201) << reply.body;
  const Job job = *served.queue.find(Json::parse(reply.body)["id"].get<std::string>());
  EXPECT_EQ(job.request.client, "me");
  EXPECT_TRUE(job.request.preview);
  EXPECT_EQ(parse_recipe(job.request.recipe, "r").picture.size, 32);
  request.form.emplace_back("kind", "paint");
  EXPECT_EQ(served.answer(request).status, 400);
}

TEST(Api, GivesThePictureInOtherFormats) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "libvips is not instrumented: its threads would seem to race";
#endif
  Served served;
  const Job job = served.painted();
  const std::string result = "/api/v1/jobs/" + job.id + "/result";
  const Reply whole = served.get(result);
  ASSERT_EQ(whole.status, 200);
  EXPECT_EQ(whole.type, "image/png");
  const std::string tag = whole.fields.at(0).second;
  for (const auto& [query, type] :
       {std::pair("?format=jpeg&quality=50", "image/jpeg"), std::pair("?format=webp", "image/webp"),
        std::pair("?format=tiff&bits=16", "image/tiff"),
        std::pair("?format=png&bits=8", "image/png")}) {
    const Reply reply = served.get(result + query);
    EXPECT_EQ(reply.status, 200) << query;
    EXPECT_EQ(reply.type, type);
    const Reply again = served.get(result + query);
    EXPECT_EQ(again.fields.at(0), reply.fields.at(0)) << query;  // it was kept
    EXPECT_NE(again.fields.at(0).second, tag);
  }
  for (const char* query :
       {"?format=exe", "?format=jpeg&bits=16", "?bits=9", "?quality=0", "?size=3"}) {
    EXPECT_EQ(served.get(result + query).status, 400) << query;
  }
  // What makes no other file is no other one, and what is stored so is not converted.
  const auto conversions = [&] {
    size_t count = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(served.files.folder_of_job(job.id))) {
      count += entry.path().filename().string() != "result.png" ? 1 : 0;
    }
    return count;
  };
  const size_t before = conversions();
  EXPECT_EQ(served.get(result + "?format=tiff&bits=16&quality=3").status, 200);
  EXPECT_EQ(served.get(result + "?format=jpeg&bits=8&quality=50").status, 200);
  EXPECT_EQ(served.get(result + "?format=png&bits=16").fields.at(0).second, tag);
  EXPECT_EQ(conversions(), before);
  Request asked = Served::request("GET", result);
  asked.fields.emplace_back("if-none-match", tag);
  EXPECT_EQ(served.answer(asked).status, 304);
  asked.fields.back() = {"range", "bytes=0-3"};
  const Reply part = served.answer(asked);
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.file->bytes, 4U);
  asked.fields.back() = {"range", "bytes=99999-"};
  EXPECT_EQ(served.answer(asked).status, 416);
  // A picture that is painted anew takes the conversions of the old one with it; a link is none.
  const std::string stored = served.files.folder_of_job(job.id) + "/result.png";
  std::filesystem::copy_file(stored, stored + ".new");
  std::filesystem::rename(stored + ".new", stored);
  const std::string left = served.files.folder_of_job(job.id) + "/conversion-123456";
  std::filesystem::create_directory(left);
  std::filesystem::last_write_time(left,
                                   std::filesystem::last_write_time(left) - std::chrono::hours(1));
  EXPECT_EQ(served.get(result + "?format=webp").status, 200);
  EXPECT_EQ(conversions(), 1U);
  std::filesystem::rename(stored, served.folder.path() + "/elsewhere.png");
  std::filesystem::create_symlink(served.folder.path() + "/elsewhere.png", stored);
  for (const char* query : {"", "?format=jpeg&quality=7"}) {
    EXPECT_EQ(served.get(result + query).status, 404) << query;
  }
}

TEST(Api, ChangesJobsAsTheirStateAllows) {
  Served served;
  const Job first = served.submitted();
  const std::string at = "/api/v1/jobs/" + first.id;
  EXPECT_EQ(served.post(at + "/retry", "").status, 409);
  EXPECT_EQ(served.post(at + "/move", R"({"before": null})").status, 200);
  EXPECT_EQ(served.post(at + "/move", R"({"before": "x"})").status, 422);
  EXPECT_EQ(served.post(at + "/move", R"({})").status, 422);
  EXPECT_EQ(Json::parse(served.post(at + "/cancel", "").body)["state"], "cancelled");
  EXPECT_EQ(served.post(at + "/cancel", "").status, 409);
  EXPECT_EQ(Json::parse(served.post(at + "/retry", "").body)["state"], "waiting");
  const Job running = *served.queue.claim("worker", 0);
  EXPECT_EQ(served.answer(Served::request("DELETE", at)).status, 409);
  EXPECT_EQ(Json::parse(served.post(at + "/cancel", "").body)["cancelling"], true);
  EXPECT_TRUE(served.queue.finish(lease_of(running), {Ending::stopped, "", false}));
  EXPECT_EQ(served.answer(Served::request("DELETE", at)).status, 204);
  EXPECT_EQ(served.answer(Served::request("DELETE", at)).status, 404);
}

TEST(Events, TellWhatIsNew) {
  Served served;
  const Job job = served.submitted();
  Reply all = served.get("/api/v1/events?after=0"),
        one = served.get("/api/v1/jobs/" + job.id + "/events");
  ASSERT_TRUE(all.events && one.events);
  const auto next = [&](Reply& reply) { return reply.events->next(served.queue.revision()); };
  EXPECT_NE(next(one).text.find("\"state\":\"waiting\""), std::string::npos);
  EXPECT_EQ(next(one).text, "");
  EXPECT_NE(next(all).text.find("event: state"), std::string::npos);
  const Job running = *served.queue.claim("worker", 0);
  EXPECT_NE(next(one).text.find("\"state\":\"running\""), std::string::npos);
  served.queue.beat(lease_of(running));
  EXPECT_EQ(next(one).text, "") << "a heartbeat is no news";
  const std::string folder = served.files.folder_of_job(job.id);
  std::ofstream(folder + "/progress.json") << R"({"iteration": 3, "done": 0.5})";
  std::ofstream(folder + "/preview.jpg") << "jpeg";
  const std::string text = next(one).text;
  EXPECT_NE(text.find("event: progress\ndata: {\"iteration\":3"), std::string::npos) << text;
  EXPECT_NE(text.find("event: preview\ndata: {\"id\""), std::string::npos) << text;
  EXPECT_EQ(next(one).text, "");
  EXPECT_NE(next(all).text.find("event: progress"), std::string::npos);
  served.queue.finish(lease_of(running), {Ending::refused, "no picture", false});
  const EventStream::Step last = next(one);
  EXPECT_TRUE(last.end);
  EXPECT_NE(last.text.find("no picture"), std::string::npos);
  EXPECT_FALSE(next(all).end);
  Request again = Served::request("GET", "/api/v1/jobs/" + job.id + "/events");
  again.fields.emplace_back("last-event-id", std::to_string(served.queue.revision()));
  EXPECT_EQ(served.answer(again).status, 204);
  served.answer(Served::request("DELETE", "/api/v1/jobs/" + job.id));
  EXPECT_NE(next(all).text.find("event: deleted"), std::string::npos);
}

TEST(Events, TellOfDeletionsToThoseWhoComeBack) {
  Served served;
  const Job first = served.submitted(), second = served.submitted();
  const auto erase = [&](const Job& job) {
    EXPECT_EQ(served.answer(Served::request("DELETE", "/api/v1/jobs/" + job.id)).status, 204);
    return served.queue.revision();
  };
  for (const Job& job : {first, second}) served.queue.cancel(job.id);
  const std::int64_t between = erase(first);
  erase(second);
  Request request = Served::request("GET", "/api/v1/events");
  request.fields.emplace_back("last-event-id", std::to_string(between));
  Reply reply = served.answer(request);
  const std::string text = reply.events->next(served.queue.revision()).text;
  EXPECT_EQ(text.find(first.id), std::string::npos);
  EXPECT_NE(text.find("event: deleted\ndata: {\"id\":\"" + second.id), std::string::npos) << text;
  Reply fresh = served.get("/api/v1/events");
  EXPECT_EQ(fresh.events->next(served.queue.revision()).text, "");
}

TEST(Api, HasFigures) {
  Served served;
  served.metrics.count_answer(200, 0.01);
  const std::string text = served.get("/metrics").body;
  EXPECT_NE(text.find("limn_requests_total{code=\"200\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("limn_request_seconds_bucket{le=\"0.02\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("limn_memory_bytes "), std::string::npos);
}

TEST(Api, ShowsRecipes) {
  Served served;
  EXPECT_EQ(Json::parse(served.get("/api/v1/recipes").body)["recipes"].size(),
            recipe_names().size());
  const Json recipe = Json::parse(served.get("/api/v1/recipes/gatys").body);
  EXPECT_EQ(recipe["toml"], recipe_text("gatys"));
  EXPECT_EQ(served.get("/api/v1/recipes/x").status, 404);
}

}  // namespace
}  // namespace limn
