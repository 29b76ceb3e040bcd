// C++: new and delete in all their forms, containers, threads that drop what others made, destructors of thread_locals.
#include "check.h"

#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

struct alignas(128) Wide { char bytes[300]; };
struct alignas(4096) Page { char bytes[4096]; };

// Is allocated before main, freed after it.
static std::map<int, std::string> early{{1, "a text that is too long to stand in the string itself"}};

struct Local {
    std::vector<std::string> texts;
    ~Local() { texts.push_back(std::string(500, 'x')); }
};
static thread_local Local local;

static void forms() {
    CHECK(std::unique_ptr<int>(new int(5)) != nullptr);
    for (int i = 0; i < 100; i++) {
        auto wide = std::make_unique<Wide>();
        auto page = std::make_unique<Page>();
        std::unique_ptr<Wide[]> many(new Wide[5]);
        CHECK((uintptr_t)wide.get() % 128 == 0 && (uintptr_t)page.get() % 4096 == 0 && (uintptr_t)many.get() % 128 == 0);
    }
    volatile size_t huge = std::numeric_limits<size_t>::max() / 4;
    bool thrown = false;
    try {
        std::unique_ptr<char[]> never(new char[huge]);
    } catch (const std::bad_alloc &) {
        thrown = true;
    }
    CHECK(thrown);
    CHECK(new (std::nothrow) char[huge] == nullptr);
    void *sized = ::operator new(400000);
    ::operator delete(sized, size_t(400000));
    void *aligned = ::operator new(1000, std::align_val_t(1 << 21));
    CHECK((uintptr_t)aligned % (1 << 21) == 0);
    ::operator delete(aligned, std::align_val_t(1 << 21));
}

static void containers() {
    std::map<std::string, std::vector<int>> map;
    for (int i = 0; i < 20000; i++) map["key number " + std::to_string(i * 7919 % 20000)].assign(i % 50, i);
    size_t sum = 0;
    for (auto &[key, values] : map) sum += values.size();
    CHECK(map.size() == 20000 && sum == 490000);
    std::vector<std::string> vector;
    for (int i = 0; i < 200000; i++) vector.push_back(std::string(i % 60, 'c'));
    for (int i = 0; i < 200000; i++) CHECK(vector[i].size() == size_t(i % 60));
    vector.erase(vector.begin() + 1000, vector.end());
    vector.shrink_to_fit();
}

static std::mutex lock;
static std::deque<std::unique_ptr<std::string>> queue;

static void pass_on(int seed) {
    local.texts.assign(100, "another text that is too long to stand in the string itself");
    for (int i = 0; i < 20000; i++) {
        auto made = std::make_unique<std::string>((i * seed) % 3000, 'q');
        std::unique_ptr<std::string> taken;
        std::lock_guard<std::mutex> guard(lock);
        queue.push_back(std::move(made));
        if (queue.size() > 500) {
            taken = std::move(queue.front());
            queue.pop_front();
            CHECK(taken->find_first_not_of('q') == std::string::npos);
        }
    }
}

int main() {
    check_preloaded();
    forms();
    containers();
    std::vector<std::thread> threads;
    for (int i = 0; i < 6; i++) threads.emplace_back(pass_on, i + 1);
    for (auto &thread : threads) thread.join();
    CHECK(early.at(1).size() > 20);
    return report();
}
